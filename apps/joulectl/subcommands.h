// SPDX-License-Identifier: Apache-2.0
#pragma once
// The subcommands: what each is told by the command line (main.cpp) and what runs it. Each returns
// the exit code: 0 done, 1 refused or failed, 2 wrong usage.
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace joulectl {

/// Ends the program with a message and exit code 2; the message says what, where and what to do.
struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};
/// Ends the program with a message and exit code 1.
struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct DecodeOptions {
    std::string wire;
    std::string file = "-";
    bool binary = false;
    std::string profile = "victron";
};
int decode(const DecodeOptions& options);
/// The wires that decode knows, one a line, for the help text.
std::string decode_wires();

struct CanOptions {
    std::string action;    // check, dbc or conversions
    std::string argument;  // the log, or the profile
    std::string profile = "victron";
};
int can(const CanOptions& options);

struct CanTrafficOptions {
    std::string action;      // record, replay or convert
    std::string device;      // name of a CAN interface, or path of an slcan adapter's serial port
    std::string file = "-";  // the log
    std::uint32_t baud = 115'200;
    std::uint32_t bitrate = 500'000;
    std::uint64_t bytes_max = 64U << 20U;  // of all files of a recorded log together
    std::uint64_t frames_max = 0;          // 0: until it is told to end
    std::int64_t seconds = 0;              // likewise
    double speed = 1;
    std::string form = "candump";  // of a converted log; or savvycan
};
int can_traffic(const CanTrafficOptions& options);

struct CrcOptions {
    std::string name;
    std::string bytes;
};
int crc(const CrcOptions& options);

struct SimOptions {
    std::string kind;
    std::string image;
    std::string registers;          // tinybms: a dump
    std::string scene = "nominal";  // tinybms
    bool control = false;           // tinybms: lines on standard input change it
    std::string address = "127.0.0.1";
    std::optional<int> tcp;
    std::string pty;
    std::uint64_t seed = 1;
    bool old = false;
    std::string drop = "0%";
    std::uint32_t delay_ms = 0;
    std::uint32_t exception = 0;
    std::string asleep_from;
    std::string asleep_to;
};
int simulate(const SimOptions& options);

struct WorldOptions {
    std::uint64_t seed = 1;
    std::uint64_t seeds = 1;
    std::uint32_t minutes = 60;
};
int world(const WorldOptions& options);

struct OutboxOptions {
    std::string action;  // dump, verify or count
    std::string folder;
};
int outbox(const OutboxOptions& options);

struct CommandOptions {
    std::string target;
    std::string quantity;
    std::int64_t value = 0;
    bool read = false;
    std::string id;  // of a command that was given earlier
    std::string url = "http://127.0.0.1:8080";
    std::string token;
    std::string token_file;
    std::string ca_file;
    std::uint32_t timeout_s = 30;
};
int command(const CommandOptions& options);

/// Asks for a password and prints what the settings hold in its place.
int password();
/// Makes a token for the API and prints it with its digest for the settings.
int token();

int self_hardening();

}  // namespace joulectl
