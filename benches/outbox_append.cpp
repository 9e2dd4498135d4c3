// SPDX-License-Identifier: Apache-2.0
// Durable append of 200-byte records in batches: our outbox beside a plain log, SQLite and RocksDB,
// interleaved, each ratio of one repetition.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <random>

#include "benches/disk.h"
#include "benches/engines.h"
#include "benches/report.h"
#include "host/crc32c.h"

namespace jw::bench {
namespace {

constexpr std::size_t record_size = 200;
constexpr std::size_t records_rotated = 4096;
constexpr std::uint64_t file_bytes = 128ULL << 20;
constexpr unsigned turns = 40;  // of each engine in a repetition
constexpr double repetition_seconds_max = 10;

struct Size {
    std::size_t batch;
    unsigned batches_a_turn;
    double beside_least;  // what the outbox must be beside SQLite and RocksDB; 0: no target
};
constexpr Size sizes[] = {{1, 20, 0}, {100, 20, 2}, {1000, 10, 5}};
constexpr double log_least = 0.9;

enum Which : std::size_t { outbox, ahead, log, sqlite, rocksdb, engine_count };
using Engines = std::array<std::unique_ptr<Engine>, engine_count>;
/// Of one repetition, or of all that count.
struct Figures {
    std::vector<double> rate;    // records a second
    std::vector<double> cpu_us;  // of all threads, a record
};
using Measured = std::array<Figures, engine_count>;

double cpu_seconds() {
    timespec time{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

class Records {
  public:
    Records() : bytes_(records_rotated * record_size) {
        std::mt19937 random(1);
        std::generate(
            bytes_.begin(), bytes_.end(), [&] { return static_cast<std::uint8_t>(random()); });
    }
    /// The next ones, in the same order for every engine.
    void next(std::vector<Bytes>& batch) {
        for (Bytes& record : batch) {
            record = Bytes(bytes_).subspan(at_ * record_size, record_size);
            at_ = (at_ + 1) % records_rotated;
        }
    }

  private:
    std::vector<std::uint8_t> bytes_;
    std::size_t at_ = 0;
};

/// What one engine has done in a repetition.
struct Work {
    double seconds = 0;
    double cpu = 0;
    double records = 0;
    void add(Engine& engine, Records& from, std::size_t batch, unsigned batches) {
        std::vector<Bytes> next(batch);
        const double cpu_before = cpu_seconds();
        for (unsigned i = 0; i < batches; ++i) {
            from.next(next);
            seconds += seconds_of([&] { engine.append(next); });
        }
        seconds += seconds_of([&] { engine.finish(); });
        cpu += cpu_seconds() - cpu_before;
        records += static_cast<double>(batch) * batches;
    }
};

/// The engines take turns many times, since the disk that they share changes its mind from second
/// to second.
std::array<Work, engine_count> repetition(const Engines& engines,
                                          Records& records,
                                          const Size& size,
                                          unsigned turns) {
    std::array<Work, engine_count> work;
    for (unsigned turn = 0; turn < turns; ++turn) {
        for (std::size_t i = 0; i < engine_count; ++i) {
            const std::size_t which = (i + turn) % engine_count;
            work[which].add(*engines[which], records, size.batch, size.batches_a_turn);
        }
        double seconds = 0;
        for (const Work& done : work) {
            seconds += done.seconds;
        }
        if (seconds > repetition_seconds_max) {
            break;
        }
    }
    return work;
}

Engines make_engines(const std::string& folder) {
    for (const char* name : {"/one", "/ahead"}) {
        std::filesystem::create_directory(folder + name);
    }
    return {outbox_engine(folder + "/one", file_bytes, Ahead::no),
            outbox_engine(folder + "/ahead", file_bytes, Ahead::yes),
            plain_log_engine(folder, file_bytes),
            sqlite_engine(folder),
            rocksdb_engine(folder)};
}

void add_row(Report& report, const Size& size, const Measured& all, Which ours, Which other) {
    constexpr const char* names[] = {
        "", "", "plain pre-written log", "SQLite WAL synchronous=FULL", "RocksDB sync"};
    const Spread ratio = paired(all[ours].rate, all[other].rate);
    Row row;
    row.what = fmt::format("durable append, 200-byte records, batch {}{}",
                           size.batch,
                           ours == ahead ? ", the next appended meanwhile" : "");
    row.beside = names[other];
    row.figure = spread(all[ours].rate).median;
    row.unit = "records/s";
    row.ratio = ratio;
    row.note = fmt::format("{}: {:.0f} records/s; CPU a record {:.2f} µs, theirs {:.2f} µs",
                           names[other],
                           spread(all[other].rate).median,
                           spread(all[ours].cpu_us).median,
                           spread(all[other].cpu_us).median);
    if (size.beside_least > 0) {
        const double least = other == log ? log_least : size.beside_least;
        row.target = fmt::format("≥ {}×", least);
        row.reached = ratio.median >= least;
    }
    report.add(row);
}

int run(const Arguments& arguments) {
    use_hardware_crc32c();
    const Scratch scratch(arguments.folder);
    Records records;
    Disk disk(scratch.path());
    Report report;
    const unsigned repetitions = arguments.quick ? 1 : 5;
    for (const Size& size : sizes) {
        const Scratch folder(scratch.path());
        const Engines engines = make_engines(folder.path());
        Measured all;
        for (unsigned i = 0; i <= repetitions; ++i) {
            disk.measure(arguments.quick ? 20 : 200);
            const auto done = repetition(engines, records, size, arguments.quick ? 2 : turns);
            for (std::size_t which = 0; which < engine_count && i > 0; ++which) {
                all[which].rate.push_back(done[which].records / done[which].seconds);
                all[which].cpu_us.push_back(1e6 * done[which].cpu / done[which].records);
            }  // the first one warmed up
        }
        for (const Which ours : {outbox, ahead}) {
            for (const Which other : {sqlite, rocksdb, log}) {
                add_row(report, size, all, ours, other);
            }
        }
    }
    report.disk(disk.times());
    return report.finish(arguments);
}

}  // namespace
}  // namespace jw::bench

int main(int argc, char** argv) {
    return jw::bench::run(jw::bench::arguments(
        argc, argv, "Durable append: the outbox beside a plain log, SQLite and RocksDB."));
}
