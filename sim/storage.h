// SPDX-License-Identifier: Apache-2.0
#pragma once
// A storage in memory that loses, tears and reorders what a real one may lose, tear and reorder.
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "core/base/ports.h"
#include "sim/random.h"

namespace jw {

/// What a power cut leaves of the writes since the last finished sync.
enum class Persistence : std::uint8_t {
    dropped,  // none
    kept,     // all: the process was killed, not the power
    torn,     // all, of the last one only the first bytes
    subset,   // any, the last of them torn
};

/// A file (erasing changes nothing, bytes may be written again) or flash (erased bytes are 0xFF,
/// writing only turns ones into zeros). Reads see the last write; the medium has what was synced.
class SimStorage final : public Storage {
  public:
    enum class Shape : std::uint8_t { file, flash };
    /// One change of the medium that is not synced yet.
    struct Change {
        std::uint64_t at = 0;
        std::size_t size = 0;
        std::size_t data = 0;  // where its bytes stand in unsynced_bytes()
        bool erase = false;
    };
    struct Counters {
        std::uint64_t writes = 0;
        std::uint64_t erases = 0;
        std::uint64_t syncs = 0;
        std::uint64_t bytes_written = 0;
        std::uint64_t written_twice = 0;  // bytes of flash that were not erased before
    };

    SimStorage(Shape shape, std::uint32_t blocks, std::uint64_t seed = 1);

    [[nodiscard]] std::uint32_t block_count() const override { return blocks_; }
    [[nodiscard]] bool is_cached() const override { return shape_ == Shape::file; }
    Status read(std::uint64_t at, MutableBytes out) override;
    Status write(std::uint64_t at, Bytes bytes) override;
    Status erase(std::uint32_t block) override;
    void sync(SyncTicket ticket) override { asked_.push_back({ticket, unsynced_.size()}); }

    /// The answer to the oldest sync that was asked for, if one was; then it has happened: what was
    /// written before it was asked is durable.
    struct Answer {
        SyncTicket ticket = 0;
        Status result;
    };
    std::optional<Answer> answer();
    /// Asked for and not answered yet.
    [[nodiscard]] bool syncing() const { return !asked_.empty(); }

    /// The next `count` syncs fail: of what they should have made durable some is on the medium,
    /// and the rest never gets there, though reads go on seeing it. Flash has all of it.
    void fail_syncs(unsigned count) { failing_syncs_ = count; }
    /// After `good` more writes the next `count` fail; a part of each may be written all the same.
    void fail_writes(std::uint64_t good, std::uint64_t count, bool no_space = true);
    void set_read_only(bool on) { read_only_ = on; }
    /// A bit changes on the medium and in what reads see.
    void flip_bit(std::uint64_t bit);
    /// From here on everything is as after a power cut; the asked sync is never answered.
    void cut_power(Persistence persistence);
    /// Called before every change, so that a test can look at each possible cut.
    void on_change(std::function<void()> called) { on_change_ = std::move(called); }

    [[nodiscard]] Shape shape() const { return shape_; }
    [[nodiscard]] const std::vector<std::uint8_t>& medium() const { return medium_; }
    /// What reads see.
    [[nodiscard]] const std::vector<std::uint8_t>& bytes() const { return bytes_; }
    [[nodiscard]] const std::vector<Change>& unsynced() const { return unsynced_; }
    [[nodiscard]] const std::vector<std::uint8_t>& unsynced_bytes() const { return data_; }
    [[nodiscard]] const Counters& counters() const { return counters_; }
    /// Puts other bytes in place of everything, on the medium too.
    void replace(std::vector<std::uint8_t> bytes);

    /// Makes the first `size` bytes of a change to an image.
    static void make(Shape shape,
                     const Change& change,
                     const std::uint8_t* data,
                     std::size_t size,
                     std::vector<std::uint8_t>& image);

    /// Of a choice of changes (how many bytes of each): an erasure is part of it if anything that
    /// was written to its block afterwards is.
    static void erase_first(const std::vector<Change>& changes, std::vector<std::size_t>& sizes);

  private:
    struct Asked {
        SyncTicket ticket = 0;
        std::size_t changes = 0;  // of the unsynced ones, how many it makes durable
    };
    void remember(const Change& change, Bytes bytes);
    void settle(Persistence persistence);
    void settle_first(std::size_t changes);

    Shape shape_;
    std::uint32_t blocks_;
    Random random_;
    std::vector<std::uint8_t> bytes_;
    std::vector<std::uint8_t> medium_;
    std::vector<Change> unsynced_;
    std::vector<std::uint8_t> data_;
    std::deque<Asked> asked_;
    unsigned failing_syncs_ = 0;
    std::uint64_t good_writes_ = 0;
    std::uint64_t failing_writes_ = 0;
    bool no_space_ = true;
    bool read_only_ = false;
    Counters counters_;
    std::function<void()> on_change_;
};

}  // namespace jw
