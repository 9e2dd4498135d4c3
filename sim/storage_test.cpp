// SPDX-License-Identifier: Apache-2.0
// The simulated storage does what its fault model says, no more.
#include "sim/storage.h"

#include <array>

#include "core/base/test.h"

using namespace jw;

namespace {

using Shape = SimStorage::Shape;

std::uint8_t byte_at(SimStorage& storage, std::uint64_t at) {
    std::array<std::uint8_t, 1> byte{};
    EXPECT(storage.read(at, byte).has_value());
    return byte[0];
}

Status put(SimStorage& storage, std::uint64_t at, std::uint8_t value, std::size_t count = 8) {
    std::array<std::uint8_t, 64> bytes{};
    bytes.fill(value);
    return storage.write(at, Bytes(bytes).first(count));
}

TEST(reads_see_the_last_write_and_the_medium_what_was_synced) {
    SimStorage storage(Shape::file, 2);
    EXPECT(put(storage, 0, 1).has_value());
    EXPECT(byte_at(storage, 0) == 1 && storage.medium()[0] == 0);
    EXPECT(!storage.answer());
    storage.sync(7);
    const auto answer = storage.answer();
    EXPECT(answer && answer->ticket == 7 && answer->result);
    EXPECT(storage.medium()[0] == 1);
    EXPECT(put(storage, 0, 2).has_value());
    storage.cut_power(Persistence::dropped);
    EXPECT(byte_at(storage, 0) == 1);
    EXPECT(put(storage, 0, 3).has_value());
    storage.cut_power(Persistence::kept);
    EXPECT(byte_at(storage, 0) == 3);
}

TEST(a_torn_write_leaves_a_prefix) {
    bool partial = false;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SimStorage storage(Shape::file, 1, seed);
        EXPECT(put(storage, 0, 9).has_value());
        EXPECT(put(storage, 100, 9, 64).has_value());
        storage.cut_power(Persistence::torn);
        EXPECT(byte_at(storage, 7) == 9);
        bool ended = false;
        for (std::uint64_t at = 100; at < 164; ++at) {
            ended = ended || byte_at(storage, at) == 0;
            EXPECT(!ended || byte_at(storage, at) == 0);
        }
        partial = partial || (ended && byte_at(storage, 100) == 9);
    }
    EXPECT(partial);
}

TEST(a_subset_keeps_some_and_is_the_same_for_the_same_seed) {
    unsigned kept = 0;
    std::vector<std::uint8_t> first;
    for (int run = 0; run < 2; ++run) {
        SimStorage storage(Shape::file, 1, 5);
        for (std::uint64_t i = 0; i < 64; ++i) {
            EXPECT(put(storage, i * 8, 1).has_value());
        }
        storage.cut_power(Persistence::subset);
        kept = 0;
        for (std::uint64_t i = 0; i < 63; ++i) {
            kept += byte_at(storage, i * 8);
        }
        EXPECT(run == 0 || first == storage.medium());
        first = storage.medium();
    }
    EXPECT(kept > 10 && kept < 54);
}

TEST(flash_only_turns_ones_into_zeros_and_counts_what_was_not_erased) {
    SimStorage storage(Shape::flash, 1);
    EXPECT(byte_at(storage, 0) == 0xFF);
    EXPECT(put(storage, 0, 0xF0).has_value());
    EXPECT(storage.counters().written_twice == 0);
    EXPECT(put(storage, 0, 0x3F).has_value());
    EXPECT(byte_at(storage, 0) == 0x30);
    EXPECT(storage.counters().written_twice == 8);
    EXPECT(storage.erase(0).has_value());
    EXPECT(byte_at(storage, 0) == 0xFF);
}

TEST(what_a_failed_sync_lost_no_later_sync_brings_back) {
    SimStorage storage(Shape::file, 2, 3);
    for (std::uint64_t i = 0; i < 64; ++i) {
        EXPECT(put(storage, i * 8, 1).has_value());
    }
    storage.fail_syncs(1);
    storage.sync(1);
    EXPECT(!storage.answer()->result);
    const auto left = storage.medium();
    EXPECT(put(storage, 4096, 1).has_value());
    storage.sync(2);
    EXPECT(storage.answer()->result.has_value());
    EXPECT(std::equal(left.begin(), left.begin() + 4096, storage.medium().begin()));
    EXPECT(left != storage.bytes() && byte_at(storage, 8) == 1);
}

TEST(writes_fail_when_told_and_then_work_again) {
    SimStorage storage(Shape::file, 1);
    storage.fail_writes(1, 2);
    EXPECT(put(storage, 0, 1).has_value());
    EXPECT(put(storage, 8, 1).code() == Code::full);
    EXPECT(put(storage, 16, 1).code() == Code::full);
    EXPECT(put(storage, 24, 1).has_value());
    storage.set_read_only(true);
    EXPECT(put(storage, 32, 1).code() == Code::denied);
    EXPECT(storage.erase(0).code() == Code::denied);
}

TEST(a_write_over_the_end_of_a_block_is_refused) {
    SimStorage storage(Shape::file, 2);
    EXPECT(put(storage, 4092, 1).code() == Code::out_of_range);
    EXPECT(put(storage, 8188, 1).code() == Code::out_of_range);
    EXPECT(put(storage, 4088, 1).has_value());
}

}  // namespace
