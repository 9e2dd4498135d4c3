// SPDX-License-Identifier: Apache-2.0
#pragma once
// The file of a store, only read: what the outbox writes while it opens stays in memory.
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/ports.h"

namespace joulectl {

/// Takes no lock, so that it also reads the store of a running gateway. Nothing is written to the
/// file.
class ReadOnlyStorage final : public jw::Storage {
  public:
    /// Throws UsageError naming the file and the reason where it cannot be read.
    explicit ReadOnlyStorage(const std::string& path);
    ReadOnlyStorage(const ReadOnlyStorage&) = delete;
    ReadOnlyStorage& operator=(const ReadOnlyStorage&) = delete;
    ~ReadOnlyStorage();

    [[nodiscard]] std::uint32_t block_count() const override { return block_count_; }
    [[nodiscard]] bool is_cached() const override { return false; }
    jw::Status read(std::uint64_t at, jw::MutableBytes out) override;
    jw::Status write(std::uint64_t at, jw::Bytes bytes) override;
    jw::Status erase(std::uint32_t block) override;
    void sync(jw::SyncTicket ticket) override { tickets_.push_back(ticket); }

    /// Answers the syncs that were asked for: all of them passed.
    void answer(const std::function<void(jw::SyncTicket)>& synced);

  private:
    jw::Status read_block(std::uint32_t block, jw::MutableBytes out) const;

    int descriptor_ = -1;
    std::uint32_t block_count_ = 0;
    std::map<std::uint32_t, std::vector<std::uint8_t>> written_;
    std::vector<jw::SyncTicket> tickets_;
};

}  // namespace joulectl
