// SPDX-License-Identifier: Apache-2.0
// joulectl: the command line. CLI11 is slow to compile and stays in this file.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "apps/joulectl/subcommands.h"
#include "sim/tinybms.h"

namespace joulectl {
namespace {

void add_decode(CLI::App& app, DecodeOptions& options, int& exit_code) {
    auto* command = app.add_subcommand("decode", "Explain captured bytes, one JSON object a frame");
    command->add_option("wire", options.wire, "What the bytes are:\n" + decode_wires())->required();
    command->add_option("file", options.file, "File to read; - is standard input")
        ->capture_default_str();
    command->add_flag("--binary", options.binary, "The file holds raw bytes, not hex or text");
    command
        ->add_option("--profile", options.profile, "Of CAN frames: victron, pylontech[-old], sma")
        ->capture_default_str();
    command->footer(
        "Reads hex text, with white space and # comments, or the wire's own text form.\n"
        "A refused frame is printed as {\"error\":\"bad_checksum\",\"at\":17,…}: `at` is the "
        "offset\n"
        "of the offending byte in the input. Exit code: 0 all accepted, 1 any refused, 2 usage.\n"
        "Example: echo '01 03 00 00 00 02 C4 0B' | joulectl decode modbus-rtu");
    command->callback([&] { exit_code = decode(options); });
}

CLI::App& add_can(CLI::App& app, CanOptions& options, int& exit_code) {
    auto* command = app.add_subcommand("can", "CAN frames from batteries to inverters");
    command->require_subcommand(1);
    auto* check = command->add_subcommand(
        "check", "Tell what is wrong in a log: missing ids, wrong periods, invalid pairs");
    check->add_option("log", options.argument, "Log of candump or SavvyCAN; - is standard input")
        ->required();
    check->add_option("--profile", options.profile, "victron, pylontech, pylontech-old or sma")
        ->capture_default_str();
    check->footer("Prints JSON lines, a finding each and a summary. Exit code: 0 nothing found.");
    check->callback([&] {
        options.action = "check";
        exit_code = can(options);
    });
    auto* dbc = command->add_subcommand("dbc", "Print the frames of a profile as a DBC file");
    dbc->add_option("profile", options.argument, "victron, pylontech, pylontech-old or sma")
        ->required();
    dbc->callback([&] {
        options.action = "dbc";
        exit_code = can(options);
    });
    command->add_subcommand("conversions", "Print docs/pgn-conversions.md")->callback([&] {
        options.action = "conversions";
        exit_code = can(options);
    });
    return *command;
}

void add_device(CLI::App& command, CanTrafficOptions& options) {
    command
        .add_option("device", options.device, "CAN interface (can0), or an slcan adapter's port")
        ->required();
    command.add_option("--baud", options.baud, "Of the adapter's serial line")
        ->capture_default_str();
    command.add_option("--bitrate", options.bitrate, "Of the bus, behind an adapter")
        ->capture_default_str();
}

void add_can_traffic(CLI::App& can, CanTrafficOptions& options, int& exit_code) {
    const auto run = [&](const char* action) {
        return [&options, &exit_code, action] {
            options.action = action;
            exit_code = can_traffic(options);
        };
    };
    auto* record = can.add_subcommand("record", "Write down what passes on a bus (candump -L)");
    add_device(*record, options);
    record->add_option("--out", options.file, "Log file; - is standard output")
        ->capture_default_str();
    record->add_option("--bytes", options.bytes_max, "Most that the log takes on disk")
        ->capture_default_str();
    record->add_option("--frames", options.frames_max, "End after so many");
    record->add_option("--seconds", options.seconds, "End after so long");
    record->footer(
        "A full FILE becomes FILE.1 and so on; the fourth is given up. Ends with ^C.\n"
        "Example: joulectl can record can0 --out battery.log --bytes 10000000");
    record->callback(run("record"));
    auto* replay = can.add_subcommand("replay", "Send a log onto a bus, as fast as it was");
    replay->add_option("log", options.file, "Log of candump or SavvyCAN; - is standard input")
        ->required();
    add_device(*replay, options);
    replay->add_option("--speed", options.speed, "2: twice as fast")->capture_default_str();
    replay->callback(run("replay"));
    auto* convert = can.add_subcommand("convert", "Print a log in another form");
    convert->add_option("log", options.file, "Log of candump or SavvyCAN; - is standard input")
        ->required();
    convert->add_option("--to", options.form, "candump or savvycan")
        ->check(CLI::IsMember({"candump", "savvycan"}))
        ->required();
    convert->callback(run("convert"));
}

void add_crc(CLI::App& app, CrcOptions& options, int& exit_code) {
    auto* command = app.add_subcommand("crc", "Compute a checksum");
    command->add_option("name", options.name, "modbus, arc (P1), x25 or crc32c")->required();
    command
        ->add_option(
            "hex", options.bytes, "The bytes as hex; - reads raw bytes from standard input")
        ->required();
    command->footer("Example: joulectl crc modbus '01 03 00 00 00 02'");
    command->callback([&] { exit_code = crc(options); });
}

void add_sim(CLI::App& app, SimOptions& options, int& exit_code) {
    auto* command = app.add_subcommand("sim", "Be a device: answer and talk like the real one");
    command
        ->add_option(
            "kind", options.kind, "demo_meter, sunspec, p1, tinybms, or site (several of them)")
        ->required()
        ->check(CLI::IsMember({"demo_meter", "sunspec", "p1", "tinybms", "site"}));
    command->add_option("--image", options.image, "Register image of a sunspec device (JSON)");
    command->add_option("--tcp", options.tcp, "Listen on this TCP port; 0 picks a free one")
        ->check(CLI::Range(0, 65535));
    command->add_option("--address", options.address, "Address to listen on")
        ->capture_default_str();
    command->add_option("--pty", options.pty, "Open a pseudo terminal and link this path to it");
    command->add_option("--seed", options.seed, "Same seed, same run")->capture_default_str();
    command->add_option("--registers", options.registers, "tinybms: a register dump to hold");
    command->add_option("--scene", options.scene, "tinybms: how it is")
        ->check(CLI::IsMember(std::vector<std::string>(jw::sim::tinybms_scene_names.begin(),
                                                       jw::sim::tinybms_scene_names.end())))
        ->capture_default_str();
    command->add_flag(
        "--control",
        options.control,
        "tinybms: take lines from standard input: set REGISTER WORD…, silent, speak;\n"
        "print each answer with its time");
    command->add_flag("--old", options.old, "p1: DSMR 3, a telegram every 10 s without CRC");
    auto* faults = command->add_option_group("Faults");
    faults->add_option("--drop", options.drop, "Share of answers that never come, as 5%")
        ->capture_default_str();
    faults->add_option("--delay", options.delay_ms, "Milliseconds before each answer");
    faults->add_option("--exception", options.exception, "Modbus: answer all with this exception")
        ->check(CLI::Range(1, 255));
    faults->add_option("--asleep-from",
                       options.asleep_from,
                       "Silent from then on: HH:MM (local time) or seconds since the start");
    faults->add_option("--asleep-to", options.asleep_to, "Until then");
    command->footer(
        "Prints one JSON line with the addresses once it is ready, and ends on SIGTERM or Ctrl-C.\n"
        "Example: joulectl sim p1 --tcp 0 --drop 5%");
    command->callback([&] { exit_code = simulate(options); });
}

void add_outbox(CLI::App& app, OutboxOptions& options, int& exit_code) {
    auto* command = app.add_subcommand("outbox", "Look into the store of a gateway");
    command
        ->add_option("action",
                     options.action,
                     "dump: every record and gap; verify: is all of it whole; count: how many")
        ->required()
        ->check(CLI::IsMember({"dump", "verify", "count"}));
    command->add_option("folder", options.folder, "Folder of the store, storage.path")->required();
    command->footer(
        "Prints JSON lines. The store is only read, also while the gateway runs.\n"
        "Exit code: 0 all is whole, 1 something is damaged or cannot be read, 2 usage.");
    command->callback([&] { exit_code = outbox(options); });
}

void add_command(CLI::App& app, CommandOptions& options, int& exit_code) {
    auto* command = app.add_subcommand("command", "Have a gateway act on a device");
    command->add_option("target", options.target, "Name of the device");
    command->add_option("quantity", options.quantity, "What to set, as relay_closed");
    command->add_option("value", options.value, "To what, in the unit of the quantity");
    command->add_flag("--read", options.read, "Poll the device now instead of setting something");
    command->add_option("--id", options.id, "Print the result of an earlier command");
    command->add_option("--url", options.url, "Address of the gateway")->capture_default_str();
    command->add_option(
        "--token", options.token, "Token of the API; other users of this machine may see it");
    command->add_option("--token-file", options.token_file, "File that holds the token");
    command->add_option("--ca", options.ca_file, "File of certificates to trust, for https");
    command->add_option("--timeout", options.timeout_s, "Seconds to wait for the result")
        ->capture_default_str()
        ->check(CLI::Range(1, 86'400));
    command->footer(
        "Prints the result as JSON; exit code 0 where it was executed, 1 where it was not.\n"
        "Example: joulectl command heat-pump relay_closed 0");
    command->callback([&] { exit_code = joulectl::command(options); });
}

void add_world(CLI::App& app, WorldOptions& options, int& exit_code) {
    auto* command = app.add_subcommand(
        "world", "Simulate gateways under faults; what was accepted has to arrive");
    command->add_option("--seed", options.seed, "Same seed, same run, event for event")
        ->capture_default_str();
    command->add_option("--seeds", options.seeds, "How many worlds, from that seed on")
        ->capture_default_str()
        ->check(CLI::Range(1, 1'000'000));
    command->add_option("--minutes", options.minutes, "Simulated, with the seed's faults at work")
        ->capture_default_str()
        ->check(CLI::Range(1, 1'000'000));
    command->footer(
        "Prints one JSON line a seed. Exit code: 0 all is well, 1 something broke (the line says\n"
        "what and when), 2 usage.\n"
        "Example: joulectl world --seed 42 --minutes 600");
    command->callback([&] { exit_code = world(options); });
}

void add_secrets(CLI::App& app, int& exit_code) {
    app.add_subcommand("password", "Ask for a password, print what web.password_scrypt takes")
        ->callback([&] { exit_code = password(); });
    app.add_subcommand("token", "Make a token for the API, print it and what web.tokens takes")
        ->callback([&] { exit_code = token(); });
}

int run(int argc, char** argv) {
    CLI::App app{"joulectl: simulate, inspect and steer what belongs to a Jouleway gateway"};
    app.set_version_flag("--version", "joulectl " JW_VERSION);
    app.require_subcommand(1);
    app.failure_message(CLI::FailureMessage::help);
    app.failure_message([](const CLI::App* /*app*/, const CLI::Error& error) {
        return std::string("joulectl: ") + error.what() +
               "\nRun `joulectl --help`, or `joulectl SUBCOMMAND --help`.\n";
    });
    int exit_code = 0;
    DecodeOptions decode_options;
    CrcOptions crc_options;
    CanOptions can_options;
    CanTrafficOptions can_traffic_options;
    SimOptions sim_options;
    WorldOptions world_options;
    CommandOptions command_options;
    OutboxOptions outbox_options;
    add_decode(app, decode_options, exit_code);
    add_sim(app, sim_options, exit_code);
    CLI::App& can = add_can(app, can_options, exit_code);
    add_can_traffic(can, can_traffic_options, exit_code);
    add_crc(app, crc_options, exit_code);
    add_outbox(app, outbox_options, exit_code);
    add_world(app, world_options, exit_code);
    add_command(app, command_options, exit_code);
    add_secrets(app, exit_code);
    auto* self = app.add_subcommand("self", "Tell about this program");
    self->require_subcommand(1);
    self->add_subcommand("hardening", "Print the compiler flags that harden this build")
        ->callback([&] { exit_code = self_hardening(); });
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    return exit_code;
}

}  // namespace
}  // namespace joulectl

int main(int argc, char** argv) {
    try {
        return joulectl::run(argc, argv);
    } catch (const joulectl::UsageError& error) {
        std::fprintf(stderr, "joulectl: %s\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "joulectl: %s\n", error.what());
        return 1;
    }
}
