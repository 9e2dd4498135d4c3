// SPDX-License-Identifier: Apache-2.0
#pragma once
// An outbox with its memory on a storage in memory, for the tests of this folder.
#include <array>
#include <cstring>

#include "core/outbox/outbox.h"
#include "core/outbox/test_storage.h"

namespace jw::test {

using Shape = TestStorage::Shape;

inline constexpr auto alarm = RecordClass::alarm;
inline constexpr auto billing = RecordClass::billing;
inline constexpr auto telemetry = RecordClass::telemetry;

inline TestStorage storage;
inline std::uint64_t random_state = 1;

inline OutboxSettings small() {
    OutboxSettings settings;
    settings.segment_blocks = 2;
    settings.sink_slots = 2;
    return settings;
}

/// An outbox with its memory on the storage of this file; answers syncs at once unless told.
struct Box {
    std::array<Segment, 24> segments{};
    std::array<SinkCursor, 2> sinks{};
    std::array<ClockPair, 16> clocks{};
    std::array<std::uint8_t, 1024 + Outbox::record_overhead> record{};
    std::array<std::uint8_t, 4096> buffer{};
    Instant now;
    Outbox outbox;
    std::array<Name, 2> names{Name("broker"), Name("hub")};

    explicit Box(const OutboxSettings& settings = small())
        : outbox(storage, settings, {segments, sinks, clocks, record}) {}

    Status open(std::size_t sink_count = 1) {
        const Status opened =
            outbox.open(std::span<const Name>(names).first(sink_count), ++random_state * 77, now);
        answer();
        return opened;
    }
    void answer() {
        SyncTicket ticket = 0;
        Status result = done;
        while (storage.answer(ticket, result)) {
            outbox.synced(ticket, result, now);
        }
    }
    void sync() {
        outbox.flush(now);
        answer();
        (void)outbox.step(now);
        answer();
    }
    /// Payload: the number and filling of a size that depends on it.
    Result<RecordId> append(RecordClass c, std::uint32_t content, std::size_t size = 0) {
        std::array<std::uint8_t, 1024> payload{};
        size = size == 0 ? 20 + content % 150 : size;
        for (std::size_t i = 0; i < size; ++i) {
            payload[i] = static_cast<std::uint8_t>(content + i);
        }
        Writer(payload).u32_le(content);
        return outbox.append(c, RecordKind::event, Bytes(payload).first(size), now);
    }
    /// Content of the next record; 0 where a gap stands (then in `gap`), ~0 where nothing does.
    std::uint32_t take(Cursor& cursor) {
        const auto item = outbox.next(cursor, buffer, now);
        if (!item) {
            return ~0U;
        }
        if (!item->record) {
            gap = item->gap;
            return 0;
        }
        last = *item->record;
        Reader reader(item->record->payload);
        const std::uint32_t content = reader.u32_le();
        for (std::size_t i = 4; i < item->record->payload.size(); ++i) {
            if (item->record->payload[i] != static_cast<std::uint8_t>(content + i)) {
                return 0xBAD;
            }
        }
        return content;
    }
    Record last;
    Gap gap;
};

inline void format(Shape shape) {
    storage.format(shape);
}

inline constexpr std::array shapes{Shape::file, Shape::flash};

/// Byte offset in the storage of a block of the first segments: 2 + 2 + 2 * 2 blocks come before.
inline constexpr std::size_t block_at(std::size_t block) {
    return (8 + block) * 4096;
}

}  // namespace jw::test
