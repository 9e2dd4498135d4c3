// SPDX-License-Identifier: Apache-2.0
// How long the gateway takes from exec to the first request on the wire, and what it keeps in
// memory when idle: with a new store, an empty one and one that holds the readings of a day; beside
// a bare program that links the same libraries.
#include <fmt/format.h>
#include <poll.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "benches/disk.h"
#include "benches/joulebench/backlog.h"
#include "benches/joulebench/gateway.h"
#include "benches/joulebench/net.h"
#include "benches/joulebench/process.h"
#include "benches/report.h"
#include "host/crc32c.h"
#include "sim/demo_meter.h"
#include "sim/modbus_server.h"

namespace jw::bench {
namespace {

constexpr double first_poll_ms_most = 20;
constexpr double private_dirty_mb_most = 4;
constexpr double pss_mb_most = 12;
constexpr unsigned size_mb = 512;
constexpr std::uint64_t readings_of_a_day = 864'000;
constexpr Duration patience = seconds(30);

/// The first bytes of a request, and when they came.
struct First {
    Fd connection;
    std::vector<std::uint8_t> bytes;
    Instant at;
};

bool readable(const Fd& fd, Instant until) {
    pollfd wait{fd.get(), POLLIN, 0};
    const Duration left = until - now();
    return left.us > 0 && ::poll(&wait, 1, static_cast<int>(left.us / 1000 + 1)) > 0;
}

First first_request(const Fd& listener) {
    First first;
    const Instant until = now() + patience;
    while (!first.connection.open()) {
        if (!readable(listener, until)) {
            give_up("nobody connected");
        }
        first.connection = accept_from(listener);
    }
    std::array<std::uint8_t, 512> room{};
    while (first.bytes.empty()) {
        if (!readable(first.connection, until)) {
            give_up("no request came");
        }
        const int size = read_some(first.connection, room);
        first.at = now();
        if (size < 0) {
            give_up("the connection was closed before a request");
        }
        first.bytes.assign(room.begin(), room.begin() + size);
    }
    return first;
}

/// Answers as a demo meter for so long.
void serve(First& first, Duration length) {
    sim::ModbusUnit meter = sim::demo_meter({.seed = 1});
    sim::ModbusServer server(ModbusFraming::tcp, {&meter, 1});
    server.received(first.bytes, now());
    const Instant until = now() + length;
    Outgoing out;
    std::array<std::uint8_t, 512> room{};
    while (now() < until) {
        server.take(now(), out.bytes());
        (void)out.flush(first.connection);
        if (readable(first.connection, until)) {
            const int size = read_some(first.connection, room);
            if (size < 0) {
                give_up("the gateway closed the connection");
            }
            server.received(Bytes(room).first(static_cast<std::size_t>(size)), now());
        }
    }
}

struct Memory {
    double private_dirty_mb = 0;
    double pss_mb = 0;
};

Memory memory_of(pid_t pid) {
    std::ifstream rollup(fmt::format("/proc/{}/smaps_rollup", pid));
    Memory memory;
    bool found = false;
    for (std::string line; std::getline(rollup, line);) {
        std::istringstream words(line);
        std::string name;
        double kb = 0;
        if (!(words >> name >> kb)) {
            continue;
        }
        if (name == "Private_Dirty:") {
            memory.private_dirty_mb += kb / 1024;
            found = true;
        } else if (name == "Pss:") {
            memory.pss_mb = kb / 1024;
        }
    }
    if (!found) {
        give_up("the memory of the gateway cannot be read");
    }
    return memory;
}

enum class Case : std::size_t { bare, new_store, empty_store, backlog, count };
constexpr auto case_count = static_cast<std::size_t>(Case::count);

struct Figures {
    std::vector<double> ms;
    std::vector<double> private_dirty_mb;
    std::vector<double> pss_mb;
};

class Starts {
  public:
    Starts(const Arguments& arguments, std::string gateway)
        : arguments_(arguments),
          gateway_(std::move(gateway)),
          bare_(std::filesystem::read_symlink("/proc/self/exe").parent_path() / "bare"),
          listener_(listen_on_loopback(port_)) {
        const std::uint64_t readings = arguments.quick ? 10'000 : readings_of_a_day;
        write_backlog(state(Case::backlog, true), readings, size_mb);
    }

    void measure(Case which, bool with_memory, Figures& figures) {
        const std::size_t at = static_cast<std::size_t>(which);
        const nlohmann::json settings = settings_for(which);
        const Instant before = now();
        const Child child = which == Case::bare ? Child::exec({bare_, std::to_string(port_)},
                                                              folders_[at].path() + "/log")
                                                : start_gateway(gateway_, settings, folders_[at]);
        First first = first_request(listener_);
        figures.ms.push_back(static_cast<double>((first.at - before).us) / 1000);
        if (!with_memory) {
            return;
        }
        const Duration idle = arguments_.quick ? milliseconds(300) : seconds(3);
        if (which == Case::bare) {
            wait(milliseconds(300));
        } else {
            serve(first, idle);
        }
        const Memory memory = memory_of(child.pid());
        figures.private_dirty_mb.push_back(memory.private_dirty_mb);
        figures.pss_mb.push_back(memory.pss_mb);
    }

  private:
    std::string state(Case which, bool make) {
        std::string path = folders_[static_cast<std::size_t>(which)].path() + "/state";
        if (make) {
            std::filesystem::remove_all(path);
            std::filesystem::create_directory(path);
        }
        return path;
    }

    nlohmann::json settings_for(Case which) {
        if (which == Case::new_store) {
            (void)state(which, true);
        }
        SiteOfBench site;
        site.driver = "demo_meter";
        site.devices = 1;
        site.connections = 1;
        site.devices_port = port_;
        site.broker_port = 9;  // nobody is there: what waits, waits on
        site.commit_s = 10;
        site.size_mb = size_mb;
        return settings_of(site, folders_[static_cast<std::size_t>(which)]);
    }

    Arguments arguments_;
    std::string gateway_;
    std::string bare_;
    std::uint16_t port_ = 0;
    Fd listener_;
    std::array<Scratch, case_count> folders_{Scratch(arguments_.folder),
                                             Scratch(arguments_.folder),
                                             Scratch(arguments_.folder),
                                             Scratch(arguments_.folder)};
};

Row first_poll(const char* with, const Figures& gateway, const Figures& bare) {
    Row row;
    row.what = fmt::format("exec → first request on the wire, {}", with);
    row.beside = "a bare program with the same libraries";
    row.figure = spread(gateway.ms).median;
    row.unit = "ms";
    row.ratio = paired(gateway.ms, bare.ms);
    row.target = fmt::format("≤ {} ms", first_poll_ms_most);
    row.reached = row.figure <= first_poll_ms_most;
    row.note = fmt::format("{:.1f}–{:.1f} ms; bare: {:.1f} ms",
                           spread(gateway.ms).least,
                           spread(gateway.ms).most,
                           spread(bare.ms).median);
    return row;
}

void add_memory(Report& report, const char* with, const Figures& gateway, const Figures& bare) {
    Row row;
    row.what = fmt::format("idle memory of its own (private dirty), {}", with);
    row.beside = "a bare program with the same libraries";
    row.figure = spread(gateway.private_dirty_mb).median;
    row.unit = "MB";
    row.ratio = paired(gateway.private_dirty_mb, bare.private_dirty_mb);
    row.target = fmt::format("≤ {} MB", private_dirty_mb_most);
    row.reached = row.figure <= private_dirty_mb_most;
    row.note = fmt::format("bare: {:.2f} MB", spread(bare.private_dirty_mb).median);
    report.add(row);
    row.what = fmt::format("idle memory with its share of the libraries (PSS), {}", with);
    row.figure = spread(gateway.pss_mb).median;
    row.ratio = paired(gateway.pss_mb, bare.pss_mb);
    row.target = fmt::format("≤ {} MB", pss_mb_most);
    row.reached = row.figure <= pss_mb_most;
    row.note = fmt::format("bare: {:.2f} MB", spread(bare.pss_mb).median);
    report.add(row);
}

int run(const Arguments& arguments) {
    use_hardware_crc32c();
    const auto self = std::filesystem::read_symlink("/proc/self/exe");
    Starts starts(arguments,
                  (self.parent_path().parent_path() / "apps/jouleway/jouleway").string());
    const Scratch scratch(arguments.folder);
    Disk disk(scratch.path());
    std::array<Figures, case_count> figures;
    const unsigned repetitions = arguments.quick ? 1 : 10;
    const unsigned with_memory = arguments.quick ? 1 : 5;
    for (unsigned i = 0; i <= repetitions; ++i) {
        disk.measure(arguments.quick ? 10 : 50);
        for (std::size_t which = 0; which < case_count; ++which) {
            Figures unused;
            const bool memory = i > 0 && i <= with_memory;
            starts.measure(static_cast<Case>(which), memory, i == 0 ? unused : figures[which]);
        }
    }
    const auto of = [&](Case which) -> const Figures& {
        return figures[static_cast<std::size_t>(which)];
    };
    Report report;
    report.add(first_poll("empty store", of(Case::empty_store), of(Case::bare)));
    report.add(first_poll("store with a day of readings", of(Case::backlog), of(Case::bare)));
    report.add(first_poll("store made by this start", of(Case::new_store), of(Case::bare)));
    add_memory(report, "empty store", of(Case::empty_store), of(Case::bare));
    add_memory(report, "store with a day of readings", of(Case::backlog), of(Case::bare));
    report.disk(disk.times());
    return report.finish(arguments);
}

}  // namespace
}  // namespace jw::bench

int main(int argc, char** argv) {
    const auto arguments =
        jw::bench::arguments(argc, argv, "Start and idle memory of the gateway.");
    try {
        return jw::bench::run(arguments);
    } catch (const std::exception& error) {
        jw::bench::give_up(error.what());
    }
}
