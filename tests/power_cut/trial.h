// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the power cut campaigns share: a storage that forgets a trial again, an outbox on it, and
// the oracle that knows what must come back.
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "core/outbox/outbox.h"
#include "sim/storage.h"

namespace jw::power_cut {

/// An image that is changed and put back: a trial costs what it changes. Syncs pass at once.
class TrialStorage : public Storage {
  public:
    TrialStorage(SimStorage::Shape shape, std::uint32_t blocks) : shape_(shape), blocks_(blocks) {}
    [[nodiscard]] std::uint32_t block_count() const override { return blocks_; }
    [[nodiscard]] bool is_cached() const override { return shape_ == SimStorage::Shape::file; }
    Status read(std::uint64_t at, MutableBytes out) override;
    Status write(std::uint64_t at, Bytes bytes) override;
    Status erase(std::uint32_t block) override;
    void sync(SyncTicket ticket) override;

    void answer_to(Outbox* outbox) { outbox_ = outbox; }
    /// Makes the first `size` bytes of a change that the main storage has not synced.
    void make(const SimStorage::Change& change, const std::uint8_t* data, std::size_t size);
    void flip_bit(std::uint64_t bit);
    void fill(std::size_t from, std::size_t to, std::uint8_t value);
    /// As before the trial.
    void forget();
    std::vector<std::uint8_t>& image() { return image_; }
    void set_block_count(std::uint32_t blocks) { blocks_ = blocks; }

  private:
    struct Saved {
        std::size_t at;
        std::size_t size;
        std::size_t data;
    };
    void save(std::size_t at, std::size_t size);

    SimStorage::Shape shape_;
    std::uint32_t blocks_;
    std::vector<std::uint8_t> image_;
    std::vector<Saved> saved_;
    std::vector<std::uint8_t> data_;
    Outbox* outbox_ = nullptr;
};

/// An outbox and its memory.
struct Box {
    std::array<Segment, 64> segments{};
    std::array<SinkCursor, 1> sinks{};
    std::array<ClockPair, 1> clocks{};
    std::array<std::uint8_t, 1024 + Outbox::record_overhead> record{};
    Outbox outbox;

    Box(Storage& storage, const OutboxSettings& settings)
        : outbox(storage, settings, {segments, sinks, clocks, record}) {}
};

inline constexpr std::array<Name, 1> sink_names{Name("broker")};

OutboxSettings settings_of(std::uint16_t segment_blocks);

/// Knows every record that anybody tried to append, and which of them were accepted.
class Oracle {
  public:
    using Numbers = std::array<std::uint64_t, record_classes>;

    /// Payload of a new attempt; tell() says what became of it.
    Bytes compose(RecordClass c, std::size_t size);
    enum class Outcome : std::uint8_t {
        taken,  // it has the number
        lost,   // an error; the number is used up, the record may be there or not
        none,   // an error; nobody has the number
    };
    void tell(RecordClass c, std::uint64_t seq, Outcome outcome);
    /// What the running outbox says now.
    void accept(const Outbox& outbox);
    void confirm(RecordClass c, std::uint64_t seq);
    /// The running outbox gave this record to its sink.
    void deliver(RecordClass c, std::uint64_t seq);
    /// What the running outbox knows to be on the medium of its cursor.
    void keep(const Outbox& outbox);
    /// After a restart, at once: what the cursor says now.
    void reopen(const Outbox& outbox);
    /// After its first sync: what was not accepted is there or not; learn which.
    void restart(Outbox& outbox, MutableBytes buffer);
    /// Drains the store of a trial and compares; empty where all is right.
    std::string verify(Outbox& trial, Numbers released, MutableBytes buffer);
    /// The same for one item at `expected`, which moves on; for the running outbox too.
    std::string check(RecordClass c,
                      const Item& item,
                      std::uint64_t& expected,
                      const Numbers& released);

    Numbers accepted{};
    Numbers confirmed{};
    std::uint64_t records_accepted = 0;
    std::uint64_t records_checked = 0;
    std::uint64_t epoch = 0;

  private:
    struct Attempt {
        std::uint64_t seq = 0;
        RecordClass record_class = RecordClass::alarm;
        std::uint16_t size = 0;
    };
    std::string check_record(RecordClass c, const Record& record);

    std::vector<Attempt> attempts_;
    // By class and seq: the attempt that has it, counted from 1; 0: none, or one that failed.
    std::array<std::vector<std::uint32_t>, record_classes> by_seq_;
    Numbers highest_{};  // that any attempt ever had
    Numbers cursor_safe_{};
    Numbers told_released_{};  // by the running outbox, not by a trial
    std::array<std::vector<bool>, record_classes> delivered_;
    std::array<std::uint8_t, 1024> payload_{};
};

}  // namespace jw::power_cut
