// SPDX-License-Identifier: Apache-2.0
#pragma once
// A storage in memory for the tests of this folder, which also run on bare metal; sim/storage.h has
// the one with all persistence models.
#include <algorithm>
#include <array>
#include <cstring>

#include "core/base/check.h"
#include "core/base/list.h"
#include "core/base/ports.h"

namespace jw::test {

/// A file, or flash that only turns ones into zeros. Answers to syncs wait until they are taken.
class TestStorage : public Storage {
  public:
    static constexpr std::uint32_t blocks = 48;
    enum class Shape : std::uint8_t { file, flash };

    void format(Shape shape) {
        shape_ = shape;
        bytes_.fill(shape == Shape::flash ? 0xFF : 0);
        medium_ = bytes_;
        from_ = to_ = 0;
        unsynced_ = {};
        tickets_.clear();
        fail_syncs = fail_writes = fail_erases = good_writes = 0;
        unreadable_from = unreadable_to = unwritable_from = unwritable_to = 0;
        written_twice = reads = 0;
        bytes_written = 0;
        failed_syncs_write = false;
    }
    [[nodiscard]] std::uint32_t block_count() const override { return blocks; }
    [[nodiscard]] bool is_cached() const override { return shape_ == Shape::file; }
    Status read(std::uint64_t at, MutableBytes out) override {
        if (at > bytes_.size() || out.size() > bytes_.size() - at) {
            return JW_FAIL(internal);
        }
        const std::uint64_t end = at + out.size();
        if (at < unreadable_to && end > unreadable_from) {
            return JW_FAIL(internal);
        }
        ++reads;
        std::memcpy(out.data(), bytes_.data() + at, out.size());
        return done;
    }
    Status write(std::uint64_t at, Bytes bytes) override {
        if (at >= unwritable_from && at < unwritable_to) {
            return JW_FAIL(denied);
        }
        if (fail_writes > 0 && good_writes > 0) {
            --good_writes;
        } else if (fail_writes > 0) {
            --fail_writes;
            Error error = JW_FAIL(full);
            error.code = fail_code;
            return error;
        }
        bytes_written += bytes.size();
        touch(static_cast<std::size_t>(at), bytes.size());
        for (const std::uint8_t byte : bytes) {
            std::uint8_t& cell = bytes_[static_cast<std::size_t>(at++)];
            written_twice += shape_ == Shape::flash && cell != 0xFF ? 1 : 0;
            cell = shape_ == Shape::flash ? static_cast<std::uint8_t>(cell & byte) : byte;
        }
        return done;
    }
    Status erase(std::uint32_t block) override {
        if (fail_erases > 0) {
            --fail_erases;
            return JW_FAIL(internal);
        }
        if (shape_ == Shape::flash) {
            std::memset(bytes_.data() + std::size_t{block} * block_size, 0xFF, block_size);
            touch(std::size_t{block} * block_size, block_size);
        }
        return done;
    }
    void sync(SyncTicket ticket) override { CHECK(tickets_.push(ticket)); }
    /// The answer to the oldest sync that is under way, if one is. After a failed one what was
    /// written before it never reaches the medium unless it is written again, and those behind it
    /// fail too; another one takes everything along that was written until now.
    bool answer(SyncTicket& ticket, Status& result) {
        if (tickets_.empty()) {
            return false;
        }
        ticket = tickets_[0];
        tickets_.remove(0);
        if (fail_syncs > 0) {
            fail_syncs = std::max(fail_syncs - 1, static_cast<int>(tickets_.size()));
            if (failed_syncs_write) {
                settle();
            }
            result = JW_FAIL(internal);
        } else {
            settle();
            result = done;
        }
        from_ = to_ = 0;
        unsynced_ = {};
        return true;
    }
    /// Everything since the last sync is lost.
    void cut_power() {
        bytes_ = medium_;
        from_ = to_ = 0;
        unsynced_ = {};
        tickets_.clear();
    }
    [[nodiscard]] std::size_t syncs_under_way() const { return tickets_.size(); }
    std::uint8_t& byte(std::size_t at) { return bytes_[at]; }
    /// Changes what is on the medium, too.
    void damage(std::size_t at, std::uint8_t mask) {
        bytes_[at] ^= mask;
        medium_[at] ^= mask;
    }
    /// Nothing of these blocks can be read.
    void lose_blocks(std::uint64_t first, std::uint64_t count) {
        unreadable_from = first * block_size;
        unreadable_to = (first + count) * block_size;
    }
    void zero(std::size_t from, std::size_t count) {
        std::memset(bytes_.data() + from, 0, count);
        std::memset(medium_.data() + from, 0, count);
    }

    int fail_syncs = 0;
    bool failed_syncs_write = false;  // all of it, though they fail
    int good_writes = 0;              // before those that fail
    int fail_writes = 0;
    int fail_erases = 0;
    std::uint64_t unreadable_from = 0;
    std::uint64_t unreadable_to = 0;
    std::uint64_t unwritable_from = 0;
    std::uint64_t unwritable_to = 0;
    Code fail_code = Code::full;
    std::uint32_t written_twice = 0;
    std::uint32_t reads = 0;
    std::uint64_t bytes_written = 0;

  private:
    void touch(std::size_t at, std::size_t size) {
        from_ = from_ == to_ ? at : std::min(from_, at);
        to_ = std::max(to_, at + size);
        for (std::size_t i = at; i < at + size; ++i) {
            unsynced_[i / 64] |= std::uint64_t{1} << (i % 64);
        }
    }
    void settle() {
        for (std::size_t word = from_ / 64; word * 64 < to_; ++word) {
            for (std::size_t i = 0; i < 64 && unsynced_[word] != 0; ++i) {
                if ((unsynced_[word] >> i & 1U) != 0) {
                    medium_[word * 64 + i] = bytes_[word * 64 + i];
                }
            }
        }
    }

    Shape shape_ = Shape::file;
    std::size_t from_ = 0;  // what was written since the last sync lies between these
    std::size_t to_ = 0;
    std::array<std::uint64_t, blocks * block_size / 64> unsynced_{};  // a bit for each byte of it
    FixedList<SyncTicket, 4> tickets_;  // of the syncs that wait for their answers
    std::array<std::uint8_t, blocks * block_size> bytes_{};
    std::array<std::uint8_t, blocks * block_size> medium_{};
};

}  // namespace jw::test
