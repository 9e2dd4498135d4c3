// SPDX-License-Identifier: Apache-2.0
#pragma once
// RamStorage: a storage for tests of this folder; answers syncs when the test says so.
#include <algorithm>
#include <array>

#include "core/base/list.h"
#include "core/base/ports.h"

namespace jw::test {

template <std::uint32_t Blocks>
class RamStorage final : public Storage {
  public:
    [[nodiscard]] std::uint32_t block_count() const override { return Blocks; }
    [[nodiscard]] bool is_cached() const override { return true; }
    Status read(std::uint64_t at, MutableBytes out) override {
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at), out.size(), out.begin());
        return done;
    }
    Status write(std::uint64_t at, Bytes in) override {
        if (fail_writes > 0) {
            --fail_writes;
            return Error{fail_code};
        }
        std::copy(in.begin(), in.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
        return done;
    }
    Status erase(std::uint32_t /*block*/) override { return done; }
    void sync(SyncTicket ticket) override { CHECK(asked_.push(ticket)); }
    /// Whether a sync waits for its answer; the oldest ticket is then taken.
    bool take(SyncTicket& ticket) {
        if (asked_.empty()) {
            return false;
        }
        ticket = asked_[0];
        asked_.remove(0);
        medium_ = bytes_;
        return true;
    }
    /// As new; assigning a new one would need it on the stack.
    void format() {
        bytes_.fill(0);
        medium_.fill(0);
        asked_.clear();
    }
    /// The power goes: what no sync was answered for is gone.
    void cut() {
        bytes_ = medium_;
        asked_.clear();
    }

    int fail_writes = 0;
    Code fail_code = Code::internal;

  private:
    std::array<std::uint8_t, Blocks * block_size> bytes_{};
    std::array<std::uint8_t, Blocks * block_size> medium_{};
    FixedList<SyncTicket, 16> asked_;
};

}  // namespace jw::test
