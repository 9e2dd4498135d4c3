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

/// Builds one batch in a buffer that the caller owns. add() says false, and leaves the batch as it
/// was, when there is no room: send what there is and begin again. A payload that cannot be decoded
/// is refused with its error and belongs into a gap.
class JsonBatch {
  public:
    explicit JsonBatch(std::span<char> buffer) : out_(buffer) {}
    void begin(const BatchHead& head);
    /// `unix_ms`: wall time of the record, absent where that boot never learned it.
    Result<bool> add(const Record& record, std::optional<std::int64_t> unix_ms);
    bool add(const Gap& gap);
    /// Closes the batch; the text lies in the buffer.
    std::string_view end();
    [[nodiscard]] std::size_t records() const { return records_; }
    [[nodiscard]] std::size_t size() const { return out_.size(); }
    [[nodiscard]] bool empty() const { return records_ == 0 && gaps_.empty(); }

  private:
    Text out_;
    std::size_t records_ = 0;
    FixedList<Gap, gaps_per_batch_max> gaps_;
};

/// One record's place and time inside a CborBatch.
struct BatchEntry {
    std::uint64_t seq = 0;
    std::int64_t time = 0;
};

/// The same in CBOR; the payloads are the bytes of the outbox, spliced in as they are. All records
/// of a batch either have wall time or are of one boot without it; another one ends the batch.
class CborBatch {
  public:
    CborBatch(MutableBytes buffer, std::span<BatchEntry> entries)
        : buffer_(buffer), entries_(entries) {}
    void begin(const BatchHead& head);
    bool add(const Record& record, std::optional<std::int64_t> unix_ms);
    bool add(const Gap& gap);
    Result<Bytes> end();
    [[nodiscard]] std::size_t records() const { return entries_.size(); }
    [[nodiscard]] std::size_t size() const { return payload_size_; }
    [[nodiscard]] bool empty() const { return entries_.empty() && gaps_.empty(); }

  private:
    static constexpr std::size_t head_size_max = 2 * limits::name_size_max + 64;
    [[nodiscard]] std::size_t head_room() const;

    MutableBytes buffer_;
    List<BatchEntry> entries_;
    FixedList<Gap, gaps_per_batch_max> gaps_;
    BatchHead head_;
    std::size_t payload_size_ = 0;
    bool has_wall_time_ = false;
    std::uint32_t boot_ = 0;
};

}  // namespace jw
