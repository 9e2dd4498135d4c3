// SPDX-License-Identifier: Apache-2.0
// joulebench: the gateway from end to end against simulated devices and a broker of its own.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>

#include "bench/joulebench/net.h"
#include "bench/joulebench/process.h"
#include "bench/joulebench/scenarios.h"
#include "host/crc32c.h"

namespace jw::bench {

std::string disk_line(const Options& options) {
    constexpr std::size_t blocks = 100;
    constexpr std::size_t block_size = 4096;
    const Folder folder(options.folder);
    const Fd fd(open(folder.file("disk").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
    const std::vector<std::uint8_t> block(block_size, 0x55);
    std::vector<double> times;
    for (int round = 0; round < 2; ++round) {  // in the second one the blocks are there
        times.clear();
        for (std::size_t i = 0; i < blocks; ++i) {
            const Instant before = now();
            (void)!pwrite(fd.get(), block.data(), block.size(), static_cast<off_t>(i * block_size));
            (void)fdatasync(fd.get());
            times.push_back(static_cast<double>((now() - before).us));
        }
    }
    return fmt::format("disk: 4 KiB and fdatasync p50 {:.0f} us, p99 {:.0f} us",
                       quantile(times, 0.5),
                       quantile(times, 0.99));
}

namespace {

constexpr std::uint64_t quick_backlog = 43'200;

std::string beside_us() {
    const auto self = std::filesystem::read_symlink("/proc/self/exe");
    return (self.parent_path().parent_path().parent_path() / "apps/jouleway/jouleway").string();
}

int run(int argc, char** argv) {
    Options options;
    options.jouleway = beside_us();
    std::string json;
    CLI::App app{"Measures the gateway from end to end."};
    app.require_subcommand(1);
    app.fallthrough();
    auto* poll = app.add_subcommand("poll", "Poll, keep on disk, deliver: what a tag costs");
    auto* drain = app.add_subcommand("drain", "Deliver the backlog of a day over a slow line");
    auto* all = app.add_subcommand("all", "Both");
    app.add_option("--jouleway", options.jouleway, "The program")->capture_default_str();
    app.add_option("--folder", options.folder, "Where the stores are made");
    app.add_option("--json", json, "Write the rows to this file");
    app.add_option("--repetitions", options.repetitions, "Counted ones")->capture_default_str();
    app.add_flag(
        "--quick", options.quick, "Only see that everything works; the figures mean nothing");
    poll->add_option("--tags", options.tags, "Tags a second")->capture_default_str();
    poll->add_option("--mix", options.mix, "Poll only these devices")
        ->check(CLI::IsMember({"sunspec", "sdm630"}));
    poll->add_option("--broker", options.broker, "Who acknowledges")
        ->check(CLI::IsMember({"own", "mosquitto"}))
        ->capture_default_str();
    drain->add_option("--readings", options.backlog, "That wait")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    if (options.quick) {
        options.mix = options.mix.empty() ? "sunspec" : options.mix;
        options.repetitions = 1;
        options.warm_up = milliseconds(500);
        options.window = seconds(1);
        options.backlog = std::min(options.backlog, quick_backlog);
    }
    std::printf("%s\n", disk_line(options).c_str());
    std::vector<Row> rows;
    if (poll->parsed() || all->parsed()) {
        rows = poll_scenario(options);
    }
    if (drain->parsed() || all->parsed()) {
        for (Row& row : drain_scenario(options)) {
            rows.push_back(std::move(row));
        }
    }
    std::printf("%s", table_of(rows).c_str());
    if (!json.empty()) {
        std::ofstream(json) << json_of(rows);
    }
    return 0;
}

}  // namespace
}  // namespace jw::bench

int main(int argc, char** argv) {
    jw::use_hardware_crc32c();
    try {
        return jw::bench::run(argc, argv);
    } catch (const std::exception& error) {
        (void)std::fprintf(stderr, "joulebench: %s\n", error.what());
        return 1;
    }
}
