// SPDX-License-Identifier: Apache-2.0
// How long a reading waits from append to accepted, at 10 000 readings a second and a commit window
// of 2 ms, beside what the disk itself takes in the same seconds.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <mutex>

#include "benches/disk.h"
#include "benches/report.h"
#include "benches/store.h"
#include "host/crc32c.h"

namespace jw::bench {
namespace {

constexpr std::size_t readings_per_turn = 10;
constexpr Duration turn = milliseconds(1);
constexpr Duration window = milliseconds(2);
constexpr double beside_most = 1.3;
constexpr std::uint64_t store_bytes = 64ULL << 20;

struct Waits {
    std::vector<double> us;       // of the readings
    std::vector<double> sync_us;  // of the store's own syncs
    std::uint64_t refused = 0;
};

/// Appends in a steady rhythm; whoever is late catches up, so that a stall is felt by every reading
/// that it holds up.
class Feeder {
  public:
    Feeder(Loop& loop, const std::string& folder)
        : store_(&loop,
                 {folder, store_bytes, window, [this](int fd) { return sync(fd); }},
                 [this, &loop] {
                     accept();
                     loop.ask_step();
                 }) {
        if (!store_.storage().prewrite(store_bytes)) {
            give_up("the store cannot be written beforehand");
        }
        syncs_us_.clear();
        for (std::uint64_t i = 0; i < 1024; ++i) {
            payloads_.push_back(encoded_reading(i));
        }
    }

    Instant step(Instant now) {
        for (; next_ <= now; next_ = next_ + turn) {
            for (std::size_t i = 0; i < readings_per_turn; ++i) {
                const Bytes payload = payloads_[due_.size() % payloads_.size()];
                if (store_.append(payload, Loop::now())) {
                    due_.push_back(next_);  // from here, though it may be appended later
                } else {
                    ++waits.refused;
                }
            }
        }
        return earlier(next_, store_.outbox().step(now));
    }
    void begin(Instant now) { next_ = now; }
    [[nodiscard]] std::size_t appended() const { return due_.size(); }
    [[nodiscard]] bool all_accepted() const { return waits.us.size() == due_.size(); }
    void end() { next_ = never; }
    /// What the writing threads noted; once they rest.
    std::vector<double> take_syncs() { return std::move(syncs_us_); }

    Waits waits;

  private:
    void accept() {
        const Instant now = Loop::now();
        while (waits.us.size() < store_.accepted()) {
            waits.us.push_back(static_cast<double>((now - due_[waits.us.size()]).us));
        }
        store_.outbox().confirm(0, RecordClass::telemetry, store_.accepted(), now);
    }
    int sync(int fd) {
        int result = 0;
        const double us = 1e6 * seconds_of([&] { result = fdatasync(fd); });
        const std::lock_guard lock(mutex_);
        syncs_us_.push_back(us);
        return result;
    }

    std::vector<std::vector<std::uint8_t>> payloads_;
    std::vector<Instant> due_;
    std::mutex mutex_;  // guards the next one: two threads sync
    std::vector<double> syncs_us_;
    Instant next_ = never;
    Store store_;
};

Waits pass(const std::string& folder, Duration length) {
    const Scratch scratch(folder);
    Loop loop;
    Feeder feeder(loop, scratch.path());
    const Instant end = Loop::now() + length;
    feeder.begin(Loop::now());
    loop.use_step([&](Instant now) {
        if (now >= end) {
            feeder.end();
        }
        return feeder.step(now);
    });
    const bool done = loop.run_until([&] { return Loop::now() >= end && feeder.all_accepted(); },
                                     length + seconds(30));
    if (!done) {
        give_up("readings were not accepted within 30 s");
    }
    feeder.waits.sync_us = feeder.take_syncs();
    return std::move(feeder.waits);
}

/// The disk alone, in the rhythm of the commits.
std::vector<double> disk_alone(Disk& disk, Duration length) {
    std::vector<double> us;
    const Instant end = Loop::now() + length;
    while (Loop::now() < end) {
        (void)poll(nullptr, 0, static_cast<int>(window.ms()));  // their rhythm
        us.push_back(disk.once());
    }
    return us;
}

int run(const Arguments& arguments) {
    use_hardware_crc32c();
    const Scratch scratch(arguments.folder);
    Disk disk(scratch.path());
    const Duration length = arguments.quick ? milliseconds(300) : seconds(3);
    const unsigned repetitions = arguments.quick ? 1 : 5;
    std::vector<double> p50, p99, beyond_window, disk_p99, sync_p99;
    std::uint64_t refused = 0;
    for (unsigned i = 0; i <= repetitions; ++i) {
        std::vector<double> alone = disk_alone(disk, length);
        Waits waits = pass(scratch.path(), length);
        if (i == 0) {
            continue;  // it warmed up
        }
        refused += waits.refused;
        p50.push_back(percentile(waits.us, 50));
        p99.push_back(percentile(waits.us, 99));
        beyond_window.push_back(p99.back() - static_cast<double>(window.us));
        disk_p99.push_back(percentile(alone, 99));
        sync_p99.push_back(percentile(waits.sync_us, 99));
    }
    Row row;
    row.what = "append → accepted, p99, 10 000 readings/s, commit window 2 ms";
    row.beside = "fdatasync p99 of the disk (the ratio is without the window)";
    row.figure = spread(p99).median / 1000;
    row.unit = "ms";
    row.ratio = paired(beyond_window, disk_p99);
    row.target = fmt::format("≤ {}× and the window", beside_most);
    row.reached = row.ratio->median <= beside_most && refused == 0;
    row.note = fmt::format(
        "disk alone p99 {:.2f} ms; the store's own syncs p99 {:.2f} ms; p50 of the readings {:.2f} "
        "ms; {} refused",
        spread(disk_p99).median / 1000,
        spread(sync_p99).median / 1000,
        spread(p50).median / 1000,
        refused);
    Report report;
    report.add(row);
    report.disk(disk.times());
    return report.finish(arguments);
}

}  // namespace
}  // namespace jw::bench

int main(int argc, char** argv) {
    return jw::bench::run(
        jw::bench::arguments(argc, argv, "How long a reading waits until it is on the medium."));
}
