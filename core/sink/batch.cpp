// SPDX-License-Identifier: Apache-2.0
#include "core/sink/batch.h"

#include <algorithm>

#include "core/base/cbor.h"
#include "core/base/check.h"
#include "core/base/json.h"
#include "core/model/command.h"
#include "core/model/event.h"

namespace jw {
namespace {

constexpr int batch_version = 1;
// What end() may still have to write: gaps with their longest numbers, and the closing brackets.
constexpr std::size_t json_gap_size_max = 96;
constexpr std::size_t json_end_size(std::size_t gaps) {
    return 16 + gaps * json_gap_size_max;
}
constexpr std::size_t cbor_gap_size_max = 9 + 9 + 1;
constexpr std::size_t cbor_entry_size_max = 9 + 9;  // seq and time
constexpr std::size_t cbor_fixed_size =
    2 * limits::name_size_max + 64 + gaps_per_batch_max * cbor_gap_size_max;

template <class M>
Status put_message(const Record& record, Text& out, bool& first) {
    M message;
    Reader in(record.payload);
    JW_TRY(from_cbor(in, message));
    to_json_members(message, out, first);
    return done;
}

Status put_payload(const Record& record, Text& out, bool& first) {
    switch (record.kind) {
        case RecordKind::reading:
            return put_message<Reading>(record, out, first);
        case RecordKind::event:
            return put_message<Event>(record, out, first);
        case RecordKind::fault:
            return put_message<Fault>(record, out, first);
        case RecordKind::result:
            return put_message<CommandResult>(record, out, first);
    }
    return JW_FAIL(malformed);
}

}  // namespace

void JsonBatch::limit(std::size_t bytes) {
    out_ = Text(buffer_.first(std::min(bytes, buffer_.size())));
    gaps_max_ = bytes < batch_size_small ? 1 : gaps_per_batch_max;
}

void JsonBatch::begin(const BatchHead& head) {
    out_.clear();
    records_ = 0;
    gaps_.clear();
    out_.put("{\"v\":").put(batch_version).put(",\"gateway\":").json(head.gateway);
    if (!head.site.empty()) {
        out_.put(",\"site\":").json(head.site);
    }
    out_.put(",\"epoch\":\"").hex(head.epoch, 16).put("\",\"class\":");
    out_.put(static_cast<unsigned>(head.record_class));
    out_.put(",\"").put(array_name(head.kind)).put("\":[");
    CHECK(out_.ok() &&
          out_.room() > json_end_size(gaps_max_));  // the program's buffer is too small
}

Result<bool> JsonBatch::add(const Record& record, std::optional<std::int64_t> unix_ms) {
    const std::size_t before = out_.size();
    if (records_ > 0) {
        out_.put(',');
    }
    out_.put("{\"seq\":").put(record.id.seq);
    if (unix_ms) {
        out_.put(",\"time\":").put(*unix_ms);
    } else {
        out_.put(",\"boot\":").put(record.time.boot).put(",\"up_ms\":").put(record.time.up_ms);
    }
    bool first = false;
    if (const Status put = put_payload(record, out_, first); !put) {
        out_.rewind(before);
        return put.error();
    }
    out_.put('}');
    if (!out_.ok() || out_.room() < json_end_size(gaps_max_)) {
        out_.rewind(before);
        return false;
    }
    ++records_;
    return true;
}

bool JsonBatch::add(const Gap& gap) {
    return gaps_.size() < gaps_max_ && gaps_.push(gap);
}

Bytes JsonBatch::end() {
    out_.put(']');
    if (!gaps_.empty()) {
        out_.put(",\"gaps\":[");
        bool first = true;
        for (const Gap& gap : gaps_) {
            if (!first) {
                out_.put(',');
            }
            first = false;
            out_.put("{\"from\":").put(gap.from).put(",\"to\":").put(gap.to);
            out_.put(",\"reason\":\"").put(enum_name(gap.reason)).put("\"}");
        }
        out_.put(']');
    }
    out_.put('}');
    CHECK(out_.ok());
    return as_bytes(out_.view());
}

std::size_t CborBatch::head_room() const {
    return cbor_fixed_size + entries_.capacity() * cbor_entry_size_max;
}

void CborBatch::limit(std::size_t bytes) {
    CHECK(bytes >= batch_size_min);
    limit_ = std::min(bytes, buffer_.size());
    // Seqs and times may have half of the buffer, so that the longest payload fits beside them.
    const std::size_t half = buffer_.size() / 2;
    CHECK(half > cbor_fixed_size + cbor_entry_size_max);
    const std::size_t entries = (half - cbor_fixed_size) / cbor_entry_size_max;
    entries_ = List(all_entries_.first(std::min(entries, all_entries_.size())));
}

void CborBatch::begin(const BatchHead& head) {
    CHECK(buffer_.size() > head_room());
    head_ = head;
    entries_.clear();
    gaps_.clear();
    payload_size_ = 0;
}

Result<bool> CborBatch::add(const Record& record, std::optional<std::int64_t> unix_ms) {
    if (entries_.empty()) {
        has_wall_time_ = unix_ms.has_value();
        boot_ = record.time.boot;
    }
    if (unix_ms.has_value() != has_wall_time_ || (!has_wall_time_ && record.time.boot != boot_)) {
        return false;
    }
    // Payloads gather behind the room for the head, which is known only at the end.
    const MutableBytes room = buffer_.subspan(head_room() + payload_size_);
    const std::size_t size = cbor_fixed_size + (entries_.size() + 1) * cbor_entry_size_max +
                             payload_size_ + record.payload.size();
    if (entries_.full() || record.payload.size() > room.size() || size > limit_) {
        return false;
    }
    std::copy(record.payload.begin(), record.payload.end(), room.begin());
    payload_size_ += record.payload.size();
    return entries_.push({record.id.seq, unix_ms.value_or(record.time.up_ms)});
}

bool CborBatch::add(const Gap& gap) {
    return gaps_.push(gap);
}

namespace {

void put_field(Writer& out, BatchField field) {
    cbor::put_head(out, cbor::Major::number, static_cast<std::uint8_t>(field));
}

}  // namespace

Bytes CborBatch::end() {
    const std::size_t room = head_room();
    Writer out(buffer_.first(room));
    const std::size_t fields = 5 + (head_.site.empty() ? 0U : 1U) + (entries_.empty() ? 0U : 3U) +
                               (!entries_.empty() && !has_wall_time_ ? 1U : 0U) +
                               (gaps_.empty() ? 0U : 1U);
    cbor::put_head(out, cbor::Major::map, fields);
    put_field(out, BatchField::version);
    cbor::put_int(out, batch_version);
    put_field(out, BatchField::gateway);
    cbor::put_text(out, head_.gateway);
    if (!head_.site.empty()) {
        put_field(out, BatchField::site);
        cbor::put_text(out, head_.site);
    }
    put_field(out, BatchField::epoch);
    cbor::put_head(out, cbor::Major::bytes, 8);
    out.u64_be(head_.epoch);
    put_field(out, BatchField::record_class);
    cbor::put_int(out, static_cast<int>(head_.record_class));
    put_field(out, BatchField::kind);
    cbor::put_int(out, static_cast<int>(head_.kind));
    if (!entries_.empty()) {
        put_field(out, BatchField::seqs);
        cbor::put_head(out, cbor::Major::array, entries_.size());
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            const std::uint64_t before = i == 0 ? 0 : entries_[i - 1].seq;
            CHECK(entries_[i].seq > before);
            cbor::put_head(out, cbor::Major::number, entries_[i].seq - before);
        }
        if (!has_wall_time_) {
            put_field(out, BatchField::boot);
            cbor::put_int(out, boot_);
        }
        put_field(out, BatchField::times);
        cbor::put_head(out, cbor::Major::array, entries_.size());
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            cbor::put_int(out, entries_[i].time - (i == 0 ? 0 : entries_[i - 1].time));
        }
        put_field(out, BatchField::payloads);
        cbor::put_head(out, cbor::Major::array, entries_.size());
    }
    CHECK(out.ok());  // begin() saw to the room
    // Close the hole between head and payloads.
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(room),
                payload_size_,
                buffer_.begin() + static_cast<std::ptrdiff_t>(out.size()));
    const std::size_t gathered = out.size() + payload_size_;
    Writer tail(buffer_.subspan(gathered));
    if (!gaps_.empty()) {
        put_field(tail, BatchField::gaps);
        cbor::put_head(tail, cbor::Major::array, gaps_.size() * 3);
        for (const Gap& gap : gaps_) {
            cbor::put_head(tail, cbor::Major::number, gap.from);
            cbor::put_head(tail, cbor::Major::number, gap.to);
            cbor::put_int(tail, static_cast<int>(gap.reason));
        }
    }
    CHECK(tail.ok());
    return Bytes(buffer_.first(gathered + tail.size()));
}

}  // namespace jw
