// SPDX-License-Identifier: Apache-2.0
#pragma once
// A storage of two blocks in memory and entries to put into it, for the tests of the journal.
#include <algorithm>
#include <array>

#include "core/trust/command_journal.h"

namespace jw::test {

/// Two blocks in RAM that answer syncs nowhere; `flash` refuses to turn zeros into ones.
struct SmallStorage : Storage {
    std::array<std::uint8_t, 2 * Storage::block_size> bytes{};
    std::array<std::uint8_t, 2 * Storage::block_size> medium{};  // what a power cut leaves
    bool losing = false;  // what is written now never reaches the medium
    bool flash = false;
    int syncs = 0;
    std::size_t writes = 0;
    std::size_t writes_left = SIZE_MAX;
    std::size_t failing_write = SIZE_MAX;        // this one alone fails
    std::uint64_t unreadable_from = UINT64_MAX;  // reads that begin in between fail
    std::uint64_t unreadable_to = UINT64_MAX;
    bool erases_fail = false;
    explicit SmallStorage(bool is_flash) : flash(is_flash) {
        bytes.fill(is_flash ? 0xFF : 0);
        medium = bytes;
    }
    [[nodiscard]] std::uint32_t block_count() const override { return 2; }
    [[nodiscard]] bool is_cached() const override { return !flash; }
    Status read(std::uint64_t at, MutableBytes out) override {
        if (at >= unreadable_from && at < unreadable_to) {
            return JW_FAIL(internal);
        }
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), out.size(), out.begin());
        return done;
    }
    Status write(std::uint64_t at, Bytes in) override {
        if (writes_left == 0 || writes == failing_write) {
            failing_write = SIZE_MAX;
            return JW_FAIL(internal);
        }
        --writes_left;
        ++writes;
        for (std::size_t i = 0; i < in.size(); ++i) {
            std::uint8_t& target = bytes[static_cast<std::size_t>(at) + i];
            target = flash ? static_cast<std::uint8_t>(target & in[i]) : in[i];
            std::uint8_t& kept = medium[static_cast<std::size_t>(at) + i];
            kept = losing ? kept : target;
        }
        return done;
    }
    Status erase(std::uint32_t block) override {
        if (erases_fail) {
            return JW_FAIL(internal);
        }
        if (flash) {
            std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(block * block_size),
                        block_size,
                        std::uint8_t{0xFF});
        }
        return done;
    }
    void sync(SyncTicket) override { ++syncs; }
    /// Everything that never reached the medium is lost.
    void cut_power() { bytes = medium; }
};

inline JournalEntry entry(int number, CommandPhase phase = CommandPhase::begun) {
    JournalEntry e;
    std::array<char, 16> buffer{};
    Text id(buffer);
    id.put("c-").put(number);
    e.id = id.view();
    e.issuer = "operator";
    e.target = "demo";
    e.counter = static_cast<std::uint64_t>(number);
    e.forget_ms = 1000 + number;
    e.phase = phase;
    return e;
}

}  // namespace jw::test
