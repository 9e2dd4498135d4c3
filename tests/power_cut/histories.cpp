// SPDX-License-Identifier: Apache-2.0
// Every history of up to four operations, a cut before every change of the storage, and for each
// cut: every choice of at most two unsynced writes that are missing, and of at most two that are
// all there is.
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
    std::atomic<std::uint64_t> histories{0};
    std::atomic<std::uint64_t> cuts{0};
    std::atomic<std::uint64_t> checked{0};
    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> next{0};
    std::mutex mutex;
    std::string wrong;
};

/// An image with all changes but those of `mask`, or with none but those.
void try_subset(History& history, std::size_t first, std::size_t second, bool missing) {
    const auto& changes = history.storage().unsynced();
    const std::uint8_t* const data = history.storage().unsynced_bytes().data();
    std::vector<std::size_t> sizes(changes.size());
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const bool chosen = i == first || i == second;
        sizes[i] = chosen != missing ? changes[i].size : 0;
    }
    SimStorage::erase_first(changes, sizes);
    for (std::size_t i = 0; i < changes.size(); ++i) {
        history.trial().make(changes[i], data, sizes[i]);
    }
    history.try_image();
}

void try_cuts(History& history) {
    const std::size_t count = history.storage().unsynced().size();
    const std::size_t none = count;
    try_subset(history, none, none, true);  // all of them
    if (count == 0) {
        return;
    }
    try_subset(history, none, none, false);  // none of them
    for (std::size_t first = 0; first < count; ++first) {
        for (std::size_t second = first; second < count; ++second) {
            try_subset(history, first, second, true);
            if (count > 2) {
                try_subset(history, first, second, false);
            }
        }
    }
    // The last one torn, at four places.
    const auto& changes = history.storage().unsynced();
    const std::uint8_t* const data = history.storage().unsynced_bytes().data();
    for (std::size_t part = 1; part <= 4; ++part) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t size = changes[i].size;
            history.trial().make(changes[i], data, i + 1 == count ? size * part / 5 : size);
        }
        history.try_image();
    }
}

constexpr unsigned operations = 9;
constexpr const char* operation_names[operations] = {"append",
                                                     "append alarm",
                                                     "append large",
                                                     "answer",
                                                     "deliver",
                                                     "rotate",
                                                     "reopen",
                                                     "sync fails",
                                                     "cut"};

void operate(History& history, unsigned operation) {
    switch (operation) {
        case 0:
            history.append(RecordClass::telemetry, 40);
            break;
        case 1:
            history.append(RecordClass::alarm, 40);
            break;
        case 2:
            history.append(RecordClass::telemetry, 900);
            break;
        case 3:
            history.flush();
            break;
        case 4:
            history.deliver(RecordClass::telemetry, 100);
            history.wait(seconds(1));
            break;
        case 5:  // to the end of the segment and over it, which drops the oldest where space ends
            for (int i = 0; i < 6; ++i) {
                history.append(RecordClass::telemetry, 1000);
            }
            break;
        case 6:
            history.restart();
            break;
        case 7:
            if (!history.recovering()) {
                history.storage().fail_syncs(1);
                history.flush();
            }
            break;
        default:
            history.cut(Persistence::dropped);
            break;
    }
}

/// Brings the store into the state that the history starts from.
void prepare(History& history, unsigned start) {
    const unsigned filling = start == 0 ? 0 : start == 1 ? 3 : 60;
    for (unsigned i = 0; i < filling; ++i) {
        history.append(RecordClass::telemetry, 1000);
        history.flush();
    }
    history.append(RecordClass::billing, 30);
    history.flush();
}

std::string run(std::uint64_t number, unsigned length, Totals& totals) {
    // number: start (3), shape (2), operations
    const auto start = static_cast<unsigned>(number % 3);
    const auto shape = number / 3 % 2 == 0 ? SimStorage::Shape::file : SimStorage::Shape::flash;
    std::uint64_t rest = number / 6;
    History history(shape, 1, 9, 7);
    prepare(history, start);
    std::string name =
        "start " + std::to_string(start) + (number / 3 % 2 == 0 ? " file" : " flash");
    for (unsigned i = 0; i < length; ++i, rest /= operations) {
        const auto operation = static_cast<unsigned>(rest % operations);
        name += std::string(", ") + operation_names[operation];
        if (i + 1 == length) {
            // Cuts inside the earlier operations belong to the shorter histories.
            history.storage().on_change([&] { try_cuts(history); });
        }
        operate(history, operation);
    }
    try_cuts(history);
    ++totals.histories;
    totals.cuts += history.cuts;
    totals.checked += history.oracle().records_checked;
    totals.accepted += history.oracle().records_accepted;
    return history.wrong().empty() ? std::string() : name + ": " + history.wrong();
}

}  // namespace

int main(int argc, char** argv) {
    const Arguments arguments(argc, argv);
    const auto length_max = static_cast<unsigned>(arguments.number("--length", 2));
    const std::uint64_t threads = arguments.number("--threads", 1);
    Totals totals;
    const auto began = std::chrono::steady_clock::now();
    for (unsigned length = 1; length <= length_max; ++length) {
        std::uint64_t count = 6;
        for (unsigned i = 0; i < length; ++i) {
            count *= operations;
        }
        totals.next = 0;
        const auto work = [&] {
            for (std::uint64_t number = totals.next++; number < count; number = totals.next++) {
                const std::string wrong = run(number, length, totals);
                if (!wrong.empty()) {
                    const std::lock_guard lock(totals.mutex);
                    totals.wrong = totals.wrong.empty() ? wrong : totals.wrong;
                    totals.next = count;
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
        if (!totals.wrong.empty()) {
            break;
        }
    }
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                        std::chrono::steady_clock::now() - began)
                        .count();
    if (!totals.wrong.empty()) {
        std::fprintf(stderr, "%s\n", totals.wrong.c_str());
    }
    std::printf(
        "{\"campaign\":\"histories\",\"length\":%u,\"histories\":%llu,\"cuts\":%llu,"
        "\"records_accepted\":%llu,\"records_checked\":%llu,\"lost\":%d,\"seconds\":%lld.%03lld}\n",
        length_max,
        static_cast<unsigned long long>(totals.histories),
        static_cast<unsigned long long>(totals.cuts),
        static_cast<unsigned long long>(totals.accepted),
        static_cast<unsigned long long>(totals.checked),
        totals.wrong.empty() ? 0 : 1,
        static_cast<long long>(ms / 1000),
        static_cast<long long>(ms % 1000));
    return totals.wrong.empty() ? 0 : 1;
}
