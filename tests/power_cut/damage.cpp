// SPDX-License-Identifier: Apache-2.0
// A small store with every bit flipped once, cut at every length and zeroed from every place on: it
// opens, and every record that the damage does not touch is delivered.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>

#include "tests/power_cut/arguments.h"
#include "tests/power_cut/trial.h"

namespace {

using namespace jw;
using namespace jw::power_cut;

constexpr std::uint32_t segments_from = 6;  // 2 superblocks, 2 journals of two blocks
constexpr std::uint16_t segment_blocks = 2;
constexpr std::uint32_t blocks = segments_from + 8 * segment_blocks;
constexpr std::size_t store_size = blocks * Storage::block_size;

/// Where the bytes of a record stand: one or two pieces, and the block header before each.
struct Place {
    RecordClass record_class;
    std::uint64_t seq;
    std::size_t end[2] = {0, 0};  // behind the piece
    std::size_t begin[2] = {0, 0};
};

class Store {
  public:
    explicit Store(SimStorage::Shape shape) : storage_(shape, blocks), trial_(shape, blocks) {
        fill();
        trial_.image() = storage_.medium();
    }
    [[nodiscard]] std::size_t records() const { return places_.size(); }

    /// Opens the damaged image; whatever lies in [from, to) may be lost with what depends on it.
    std::string check(std::size_t from, std::size_t to) {
        Box box(trial_, settings_of(segment_blocks));
        trial_.answer_to(&box.outbox);
        const Status opened = box.outbox.open(sink_names, 12345, Instant{});
        std::string wrong;
        if (!opened) {
            wrong = std::string("does not open: ") + code_name(opened.code());
        } else {
            wrong = compare(box.outbox, from, to);
        }
        trial_.forget();
        return wrong;
    }
    TrialStorage& trial() { return trial_; }
    std::uint64_t damage_counted = 0;
    std::uint64_t delivered = 0;
    std::uint64_t lost_with_damage = 0;

  private:
    void fill() {
        Box box(storage_, settings_of(segment_blocks));
        Outbox& outbox = box.outbox;
        (void)outbox.open(sink_names, 99, Instant{});
        answer(outbox);
        for (std::uint64_t i = 1; i <= 60; ++i) {
            const auto c = i % 7 == 0   ? RecordClass::alarm
                           : i % 5 == 0 ? RecordClass::billing
                                        : RecordClass::telemetry;
            std::array<std::uint8_t, 400> payload{};
            const std::size_t size = 30 + i * 37 % 300;
            payload.fill(static_cast<std::uint8_t>(i));
            const std::size_t before = storage_.unsynced().size();
            const auto id =
                outbox.append(c, RecordKind::event, Bytes(payload).first(size), Instant{});
            if (!id) {
                std::fprintf(stderr, "the store is too small\n");
                std::exit(3);
            }
            Place place{c, id->seq};
            std::size_t piece = 0;
            for (std::size_t w = before; w < storage_.unsynced().size(); ++w) {
                const auto& change = storage_.unsynced()[w];
                const bool header = change.at % Storage::block_size == 0;
                if (!change.erase && !header && change.at >= segments_from * Storage::block_size) {
                    place.begin[piece] = change.at;
                    place.end[piece++] = change.at + change.size;
                }
            }
            places_.push_back(place);
            contents_[{c, id->seq}] = {static_cast<std::uint8_t>(i), size};
            outbox.flush(Instant{});
            answer(outbox);
        }
    }
    void answer(Outbox& outbox) {
        while (const auto answer = storage_.answer()) {
            outbox.synced(answer->ticket, answer->result, Instant{});
        }
    }
    /// Whether the damage leaves the record: its own bytes, and in each of its blocks everything
    /// before it.
    static bool intact(const Place& place, std::size_t from, std::size_t to) {
        for (std::size_t piece = 0; piece < 2 && place.end[piece] != 0; ++piece) {
            const std::size_t block = place.begin[piece] / Storage::block_size;
            if (from < place.end[piece] && to > block * Storage::block_size) {
                return false;
            }
        }
        return true;
    }
    using Key = std::pair<RecordClass, std::uint64_t>;

    /// What is wrong with a record that was delivered; empty: nothing.
    [[nodiscard]] const char* compare(const Record& record, const Key& expected) const {
        const auto known = contents_.find({expected.first, record.id.seq});
        if (record.id.seq != expected.second || known == contents_.end() ||
            record.payload.size() != known->second.size) {
            return "a record that nobody wrote";
        }
        const bool same = std::all_of(record.payload.begin(),
                                      record.payload.end(),
                                      [&](std::uint8_t b) { return b == known->second.value; });
        return same ? "" : "a changed record";
    }

    /// Reads a class to its end and notes what came; what is wrong with it, or nothing.
    std::string read(Outbox& outbox, RecordClass record_class, std::set<Key>& seen) {
        Cursor cursor;
        cursor.record_class = record_class;
        Key expected{record_class, 1};
        for (auto item = outbox.next(cursor, buffer_, Instant{}); item;
             item = outbox.next(cursor, buffer_, Instant{})) {
            if (!item->record) {
                if (item->gap.from != expected.second || item->gap.reason != GapReason::damaged) {
                    return "a gap that does not fit";
                }
                expected.second = item->gap.to + 1;
                continue;
            }
            if (std::string wrong = compare(*item->record, expected); !wrong.empty()) {
                return wrong;
            }
            seen.insert(expected);
            ++expected.second;
            ++delivered;
        }
        return {};
    }

    std::string compare(Outbox& outbox, std::size_t from, std::size_t to) {
        std::set<Key> seen;
        for (std::size_t i = 0; i < record_classes; ++i) {
            std::string wrong = read(outbox, static_cast<RecordClass>(i), seen);
            if (!wrong.empty()) {
                return wrong;
            }
            damage_counted += outbox.counters().damaged[i];
        }
        for (const Place& place : places_) {
            const bool there = seen.count({place.record_class, place.seq}) != 0;
            lost_with_damage += there ? 0 : 1;
            if (!there && intact(place, from, to)) {
                return "an intact record is lost: class " +
                       std::to_string(static_cast<int>(place.record_class)) + " seq " +
                       std::to_string(place.seq);
            }
        }
        return {};
    }

    struct Content {
        std::uint8_t value;
        std::size_t size;
    };
    SimStorage storage_;
    TrialStorage trial_;
    std::vector<Place> places_;
    std::map<Key, Content> contents_;
    std::array<std::uint8_t, 4096> buffer_{};
};

struct Counts {
    std::uint64_t flips = 0;
    std::uint64_t lengths = 0;
    std::uint64_t zeroed_blocks = 0;
};

bool run(SimStorage::Shape shape, std::uint64_t stride, Counts& counts, Store& store) {
    const char* const name = shape == SimStorage::Shape::file ? "file" : "flash";
    const auto failed = [&](const char* what, std::size_t at, const std::string& wrong) {
        if (!wrong.empty()) {
            std::fprintf(stderr, "%s, %s %zu: %s\n", name, what, at, wrong.c_str());
        }
        return !wrong.empty();
    };
    for (std::uint64_t bit = 0; bit < store_size * 8; bit += stride) {
        store.trial().flip_bit(bit);
        ++counts.flips;
        if (failed("bit", bit, store.check(bit / 8, bit / 8 + 1))) {
            return false;
        }
    }
    for (std::size_t length = 0; length < store_size; length += stride) {
        store.trial().fill(length, store_size, 0);
        ++counts.lengths;
        if (failed("length", length, store.check(length, store_size))) {
            return false;
        }
    }
    // Holes of zeros: the blocks behind them are intact.
    for (std::uint32_t block = 0; block < blocks; ++block) {
        const std::size_t at = std::size_t{block} * Storage::block_size;
        store.trial().fill(at, at + Storage::block_size, 0);
        ++counts.zeroed_blocks;
        if (failed("zeroed block", block, store.check(at, at + Storage::block_size))) {
            return false;
        }
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    const Arguments arguments(argc, argv);
    const std::uint64_t stride = arguments.number("--stride", 1);
    const auto began = std::chrono::steady_clock::now();
    Counts counts;
    bool passed = true;
    std::uint64_t damaged = 0;
    std::uint64_t delivered = 0;
    std::uint64_t lost = 0;
    for (const auto shape : {SimStorage::Shape::file, SimStorage::Shape::flash}) {
        Store store(shape);
        passed = passed && run(shape, stride, counts, store);
        damaged += store.damage_counted;
        delivered += store.delivered;
        lost += store.lost_with_damage;
    }
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                        std::chrono::steady_clock::now() - began)
                        .count();
    std::printf(
        "{\"campaign\":\"damage\",\"bits_flipped\":%llu,\"lengths\":%llu,\"blocks_zeroed\":%llu,"
        "\"records_delivered\":%llu,\"records_in_damage\":%llu,\"counted_damaged\":%llu,"
        "\"intact_lost\":%d,\"seconds\":%lld.%03lld}\n",
        static_cast<unsigned long long>(counts.flips),
        static_cast<unsigned long long>(counts.lengths),
        static_cast<unsigned long long>(counts.zeroed_blocks),
        static_cast<unsigned long long>(delivered),
        static_cast<unsigned long long>(lost),
        static_cast<unsigned long long>(damaged),
        passed ? 0 : 1,
        static_cast<long long>(ms / 1000),
        static_cast<long long>(ms % 1000));
    return passed ? 0 : 1;
}
