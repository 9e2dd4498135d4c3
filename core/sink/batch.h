// SPDX-License-Identifier: Apache-2.0
#pragma once
// A batch: records of one class and one kind on their way to a sink, in the one payload that all
// sinks share (DESIGN 4). JsonBatch writes it for people and clouds, CborBatch for the hub and from
// nodes. docs/formats/json.md and cbor.md have worked examples.
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/list.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/model/batch.h"
#include "core/model/reading.h"
#include "core/model/record.h"

namespace jw {

/// How many gaps one batch can carry; with more it is sent and the next one goes on.
inline constexpr std::size_t gaps_per_batch_max = 8;

/// A batch of this size holds its head and a gap; whether it holds a record depends on the record.
inline constexpr std::size_t batch_size_min = 512;
inline constexpr std::size_t batch_size_small = 2048;

/// Builds one batch after the other in a buffer that the caller owns.
class BatchWriter {
  public:
    /// From the next begin() on a batch takes at most so many bytes, and never more than the buffer
    /// has; at least batch_size_min. Below batch_size_small it carries one gap at most.
    virtual void limit(std::size_t bytes) = 0;
    virtual void begin(const BatchHead& head) = 0;
    /// False, and the batch is as it was, when there is no room: send what there is and begin
    /// again. A payload that cannot be decoded is refused with its error and belongs into a gap.
    /// `unix_ms`: wall time of the record, absent where that boot never learned it.
    virtual Result<bool> add(const Record& record, std::optional<std::int64_t> unix_ms) = 0;
    /// False when there is no room.
    virtual bool add(const Gap& gap) = 0;
    /// Closes the batch; the bytes lie in the buffer.
    virtual Bytes end() = 0;
    [[nodiscard]] virtual bool empty() const = 0;

  protected:
    ~BatchWriter() = default;
};

class JsonBatch final : public BatchWriter {
  public:
    explicit JsonBatch(std::span<char> buffer) : buffer_(buffer), out_(buffer) {}
    void limit(std::size_t bytes) override;
    void begin(const BatchHead& head) override;
    Result<bool> add(const Record& record, std::optional<std::int64_t> unix_ms) override;
    bool add(const Gap& gap) override;
    Bytes end() override;
    [[nodiscard]] std::size_t records() const { return records_; }
    [[nodiscard]] std::size_t size() const { return out_.size(); }
    [[nodiscard]] bool empty() const override { return records_ == 0 && gaps_.empty(); }

  private:
    std::span<char> buffer_;
    Text out_;
    std::size_t records_ = 0;
    std::size_t gaps_max_ = gaps_per_batch_max;
    FixedList<Gap, gaps_per_batch_max> gaps_;
};

/// One record's place and time inside a CborBatch.
struct BatchEntry {
    std::uint64_t seq = 0;
    std::int64_t time = 0;
};

/// The same in CBOR; the payloads are the bytes of the outbox, spliced in as they are. All records
/// of a batch either have wall time or are of one boot without it; another one ends the batch.
class CborBatch final : public BatchWriter {
  public:
    CborBatch(MutableBytes buffer, std::span<BatchEntry> entries)
        : buffer_(buffer), all_entries_(entries), entries_(entries), limit_(buffer.size()) {}
    void limit(std::size_t bytes) override;
    void begin(const BatchHead& head) override;
    Result<bool> add(const Record& record, std::optional<std::int64_t> unix_ms) override;
    bool add(const Gap& gap) override;
    Bytes end() override;
    [[nodiscard]] std::size_t records() const { return entries_.size(); }
    [[nodiscard]] std::size_t size() const { return payload_size_; }
    [[nodiscard]] bool empty() const override { return entries_.empty() && gaps_.empty(); }

  private:
    [[nodiscard]] std::size_t head_room() const;

    MutableBytes buffer_;
    std::span<BatchEntry> all_entries_;
    List<BatchEntry> entries_;
    std::size_t limit_;
    FixedList<Gap, gaps_per_batch_max> gaps_;
    BatchHead head_;
    std::size_t payload_size_ = 0;
    bool has_wall_time_ = false;
    std::uint32_t boot_ = 0;
};

}  // namespace jw
