// SPDX-License-Identifier: Apache-2.0
// Random histories of an outbox; the power is cut at every storage operation, in every persistence
// model, and what comes back is compared with what was accepted.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

#include "tests/power_cut/arguments.h"
#include "tests/power_cut/history.h"

namespace {

using namespace jw;
using namespace jw::power_cut;

struct Totals {
    std::atomic<std::uint64_t> cuts{0};
    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> checked{0};
    std::atomic<std::uint64_t> next_seed{1};
    std::atomic<std::uint64_t> failed_seed{0};
    std::mutex mutex;
    std::string wrong;
};

/// Tries the states that a cut at this moment may leave.
void try_cuts(History& history, Random& random) {
    const auto& changes = history.storage().unsynced();
    const std::uint8_t* const data = history.storage().unsynced_bytes().data();
    TrialStorage& trial = history.trial();
    history.try_image();  // nothing of it
    if (changes.empty()) {
        return;
    }
    std::vector<std::size_t> sizes(changes.size());
    for (int turn = 0; turn < 3; ++turn) {
        for (std::size_t i = 0; i < changes.size(); ++i) {
            const std::size_t size = changes[i].size;
            const bool last = i + 1 == changes.size();
            const bool rare = random.one_in(3);
            if (turn == 0) {  // all of it, the last one torn
                sizes[i] = last ? random.below(size + 1) : size;
            } else if (rare == (turn == 2)) {  // most of it, or little
                sizes[i] = random.one_in(8) ? random.below(size + 1) : size;
            } else {
                sizes[i] = 0;
            }
        }
        SimStorage::erase_first(changes, sizes);
        for (std::size_t i = 0; i < changes.size(); ++i) {
            trial.make(changes[i], data, sizes[i]);
        }
        history.try_image();
    }
}

RecordClass any_class(Random& random) {
    const std::uint64_t which = random.below(20);
    return which < 12   ? RecordClass::telemetry
           : which < 16 ? RecordClass::billing
           : which < 18 ? RecordClass::alarm
                        : RecordClass::result;
}

void operate(History& history, Random& random) {
    const std::uint64_t what = random.below(1000);
    if (what < 560) {
        const std::uint64_t size = random.one_in(12) ? 8 + random.below(900) : 8 + random.below(60);
        history.append(any_class(random), size);
    } else if (what < 640) {
        history.answer(1);  // others may still be under way
    } else if (what < 720) {
        history.answer();
    } else if (what < 800) {
        history.wait(milliseconds(static_cast<std::int64_t>(random.below(1500))));
    } else if (what < 930) {
        history.deliver(any_class(random), static_cast<unsigned>(random.below(40)));
    } else if (what < 950) {
        history.flush();
    } else if (what < 960) {
        history.restart();
    } else if (what < 970) {
        if (!history.recovering()) {
            history.storage().fail_syncs(1 + static_cast<unsigned>(random.below(2)));
        }
    } else if (what < 980) {
        history.storage().fail_writes(random.below(3), 1 + random.below(3), random.one_in(2));
    } else {
        history.cut(static_cast<Persistence>(random.below(4)));
    }
}

/// One history; empty where all is right.
std::string run(std::uint64_t seed, Totals& totals) {
    Random random(seed * 0x1F3D5B79U);
    const auto shape = random.one_in(2) ? SimStorage::Shape::flash : SimStorage::Shape::file;
    const auto segment_blocks = static_cast<std::uint16_t>(1 + random.below(3));
    const auto segments = static_cast<std::uint32_t>(7 + random.below(6));
    History history(shape, segment_blocks, segments, random.next());
    if (random.one_in(4)) {
        // Near the end of a journal's block.
        for (std::uint64_t i = 90 + random.below(50); i > 0; --i) {
            history.append(RecordClass::alarm, 8);
            history.answer();
            history.deliver(RecordClass::alarm, 4);
            history.wait(milliseconds(1001));
            history.answer();
        }
    }
    history.storage().on_change([&] { try_cuts(history, random); });
    for (int i = 0; i < 400 && history.wrong().empty(); ++i) {
        operate(history, random);
    }
    if (history.storage().counters().written_twice != 0 && shape == SimStorage::Shape::flash) {
        history.fail("flash written twice");
    }
    totals.cuts += history.cuts;
    totals.accepted += history.oracle().records_accepted;
    totals.checked += history.oracle().records_checked;
    return history.wrong();
}

}  // namespace

int main(int argc, char** argv) {
    const Arguments arguments(argc, argv);
    const std::uint64_t cuts = arguments.number("--cuts", 100'000);
    const std::uint64_t threads = arguments.number("--threads", 1);
    const std::uint64_t only = arguments.number("--seed", 0);
    const std::uint64_t first = arguments.number("--from", 1);
    Totals totals;
    totals.next_seed = first;
    const auto began = std::chrono::steady_clock::now();
    const auto work = [&] {
        while (totals.cuts < cuts && totals.failed_seed == 0) {
            const std::uint64_t seed = only != 0 ? only : totals.next_seed++;
            const std::string wrong = run(seed, totals);
            if (!wrong.empty()) {
                const std::lock_guard lock(totals.mutex);
                totals.failed_seed = seed;
                totals.wrong = wrong;
            }
            if (only != 0) {
                return;
            }
        }
    };
    std::vector<std::thread> workers;
    for (std::uint64_t i = 0; i < threads; ++i) {
        workers.emplace_back(work);
    }
    for (auto& worker : workers) {
        worker.join();
    }
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                        std::chrono::steady_clock::now() - began)
                        .count();
    if (totals.failed_seed != 0) {
        std::fprintf(stderr,
                     "seed %llu: %s\n",
                     static_cast<unsigned long long>(totals.failed_seed),
                     totals.wrong.c_str());
    }
    std::printf(
        "{\"campaign\":\"power_cut\",\"cuts\":%llu,\"records_accepted\":%llu,\"records_checked\":"
        "%llu,\"lost\":%d,\"seeds\":\"%llu..%llu\",\"seconds\":%lld.%03lld}\n",
        static_cast<unsigned long long>(totals.cuts),
        static_cast<unsigned long long>(totals.accepted),
        static_cast<unsigned long long>(totals.checked),
        totals.failed_seed != 0 ? 1 : 0,
        static_cast<unsigned long long>(only != 0 ? only : first),
        static_cast<unsigned long long>(only != 0 ? only : totals.next_seed - 1),
        static_cast<long long>(ms / 1000),
        static_cast<long long>(ms % 1000));
    return totals.failed_seed != 0 ? 1 : 0;
}
