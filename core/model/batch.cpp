// SPDX-License-Identifier: Apache-2.0
// The way back of CborBatch: what a gateway does with a node's batch, and the hub with a gateway's.
#include "core/model/batch.h"

#include <optional>

#include "core/base/cbor.h"
#include "core/base/limits.h"

namespace jw {
namespace {

/// Where the fields stand that the records are read from in step.
struct Parts {
    BatchHead head;
    std::optional<std::uint32_t> boot;
    std::uint64_t count = 0;
    Reader seqs{Bytes{}};
    Reader times{Bytes{}};
    Reader payloads{Bytes{}};
    Reader gaps{Bytes{}};
    std::uint64_t gap_numbers = 0;
};

/// A view of an array's items; `in` moves behind it.
Result<std::uint64_t> take_array(Reader& in, Bytes all, Reader& items) {
    const auto head = cbor::take_head(in);
    if (!head) {
        return head.error();
    }
    if (head->major != cbor::Major::array) {
        return JW_FAIL(malformed);
    }
    if (head->argument > in.remaining()) {
        return JW_FAIL(truncated);
    }
    const std::size_t begin = in.position();
    for (std::uint64_t i = 0; i < head->argument; ++i) {
        JW_TRY(cbor::skip(in));
    }
    items = Reader(all.subspan(begin, in.position() - begin));
    return head->argument;
}

Status take_counted(Reader& in, Bytes all, Reader& items, std::uint64_t& count) {
    const auto taken = take_array(in, all, items);
    if (!taken) {
        return taken.error();
    }
    if (count != 0 && count != *taken) {
        return JW_FAIL(malformed);  // seqs, times and payloads go together
    }
    count = *taken;
    return done;
}

Status take_field(Reader& in, Bytes all, std::uint64_t id, Parts& parts) {
    switch (static_cast<BatchField>(id)) {
        case BatchField::version: {
            const auto version = cbor::take_unsigned(in);
            if (!version) {
                return version.error();
            }
            return *version == 1 ? Status(done) : Status(JW_FAIL(unsupported));
        }
        case BatchField::gateway:
        case BatchField::site: {
            const auto text = cbor::take_text(in);
            if (!text) {
                return text.error();
            }
            if (text->size() > limits::name_size_max) {
                return JW_FAIL(out_of_range);
            }
            (static_cast<BatchField>(id) == BatchField::gateway ? parts.head.gateway
                                                                : parts.head.site) = *text;
            return done;
        }
        case BatchField::epoch: {
            const auto bytes = cbor::take_bytes(in);
            if (!bytes) {
                return bytes.error();
            }
            if (bytes->size() != 8) {
                return JW_FAIL(malformed);
            }
            Reader epoch(*bytes);
            parts.head.epoch = epoch.u64_be();
            return done;
        }
        case BatchField::record_class:
            return cbor::take(in, parts.head.record_class);
        case BatchField::kind:
            return cbor::take(in, parts.head.kind);
        case BatchField::seqs:
            return take_counted(in, all, parts.seqs, parts.count);
        case BatchField::boot: {
            std::uint32_t boot = 0;
            JW_TRY(cbor::take(in, boot));
            parts.boot = boot;
            return done;
        }
        case BatchField::times:
            return take_counted(in, all, parts.times, parts.count);
        case BatchField::payloads:
            return take_counted(in, all, parts.payloads, parts.count);
        case BatchField::gaps: {
            const auto count = take_array(in, all, parts.gaps);
            if (!count) {
                return count.error();
            }
            parts.gap_numbers = *count;
            return *count % 3 == 0 ? Status(done) : Status(JW_FAIL(malformed));
        }
    }
    return cbor::skip(in);
}

Status give_records(Parts& parts, BatchReader& reader) {
    std::uint64_t seq = 0;
    std::int64_t time = 0;
    for (std::uint64_t i = 0; i < parts.count; ++i) {
        const auto step = cbor::take_unsigned(parts.seqs);
        if (!step) {
            return step.error();
        }
        const auto delta = cbor::take_int(parts.times);
        if (!delta) {
            return delta.error();
        }
        if (*step == 0 || *step > UINT64_MAX - seq) {
            return JW_FAIL(out_of_range);
        }
        seq += *step;
        if (__builtin_add_overflow(time, *delta, &time)) {
            return JW_FAIL(out_of_range);
        }
        const std::size_t left = parts.payloads.remaining();
        Reader payload = parts.payloads;
        JW_TRY(cbor::skip(parts.payloads));
        Record record;
        record.id = {parts.head.epoch, parts.head.record_class, seq};
        record.kind = parts.head.kind;
        record.time = {parts.boot.value_or(0), time};
        record.payload = payload.take(left - parts.payloads.remaining());
        reader.record(parts.head, record, !parts.boot.has_value());
    }
    return done;
}

}  // namespace

std::string_view array_name(RecordKind kind) {
    switch (kind) {
        case RecordKind::reading:
            return "readings";
        case RecordKind::event:
            return "events";
        case RecordKind::fault:
            return "faults";
        case RecordKind::result:
            return "results";
    }
    return "readings";
}

Status read_batch(Bytes bytes, BatchReader& reader) {
    Reader in(bytes);
    const auto head = cbor::take_head(in);
    if (!head) {
        return head.error();
    }
    if (head->major != cbor::Major::map) {
        return JW_FAIL(malformed);
    }
    Parts parts;
    std::uint64_t last = 0;
    for (std::uint64_t i = 0; i < head->argument; ++i) {
        const auto id = cbor::take_unsigned(in);
        if (!id) {
            return id.error();
        }
        if (*id <= last) {
            return JW_FAIL(malformed);
        }
        last = *id;
        JW_TRY(take_field(in, bytes, *id, parts));
    }
    if (in.remaining() != 0 || parts.head.gateway.empty()) {
        return JW_FAIL(malformed);
    }
    JW_TRY(give_records(parts, reader));
    for (std::uint64_t i = 0; i < parts.gap_numbers / 3; ++i) {
        Gap gap{parts.head.epoch, parts.head.record_class, 0, 0, GapReason::dropped};
        JW_TRY(cbor::take(parts.gaps, gap.from));
        JW_TRY(cbor::take(parts.gaps, gap.to));
        JW_TRY(cbor::take(parts.gaps, gap.reason));
        if (gap.from > gap.to) {
            return JW_FAIL(out_of_range);
        }
        reader.gap(gap);
    }
    return done;
}

}  // namespace jw
