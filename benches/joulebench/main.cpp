// SPDX-License-Identifier: Apache-2.0
// joulebench: the gateway from end to end against simulated devices and a broker of its own.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>

#include "benches/disk.h"
#include "benches/joulebench/scenarios.h"
#include "host/crc32c.h"

namespace jw::bench {

namespace {

constexpr unsigned disk_times = 100;
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
    app.add_option("--folder", options.folder, "Where the stores are made: the disk measured")
        ->capture_default_str();
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
    Report report;
    {
        const Scratch folder(options.folder);
        Disk disk(folder.path());
        disk.measure(disk_times);
        report.disk(disk.times());
    }
    std::vector<Row> rows;
    if (poll->parsed() || all->parsed()) {
        rows = poll_scenario(options);
    }
    if (drain->parsed() || all->parsed()) {
        for (Row& row : drain_scenario(options)) {
            rows.push_back(std::move(row));
        }
    }
    for (Row& row : rows) {
        report.add(std::move(row));
    }
    return report.finish({json, options.folder, options.quick});
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
