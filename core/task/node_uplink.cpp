// SPDX-License-Identifier: Apache-2.0
#include "core/task/node_uplink.h"

#include "core/base/check.h"

namespace jw {
namespace {

constexpr Duration answer_timeout = seconds(2);
constexpr Duration look_again = milliseconds(50);

}  // namespace

NodeUplink::NodeUplink(Outbox& outbox,
                       Bus& bus,
                       std::string_view name,
                       const NodeUplinkMemory& memory)
    : outbox_(outbox), bus_(bus), name_(name), memory_(memory), receiver_(memory.receive) {}

void NodeUplink::received(Bytes bytes, Instant now) {
    for (const std::uint8_t byte : bytes) {
        const auto frame = receiver_.take(byte);
        if (!frame || frame->type != node_link::FrameType::acknowledge) {
            continue;
        }
        const auto said = node_link::decode_acknowledge(frame->body);
        const bool is_it = said && !batch_.empty() && said->epoch == awaited_.epoch &&
                           said->record_class == awaited_.record_class && said->seq == awaited_.seq;
        if (is_it) {
            outbox_.confirm(0, static_cast<RecordClass>(said->record_class), said->seq, now);
            confirmed_ = said->seq;
            batch_ = {};
        }
    }
}

Instant NodeUplink::step(Instant now) {
    for (std::size_t i = 0; i < record_classes && batch_.empty(); ++i) {
        if (build(static_cast<RecordClass>(i), now)) {
            send(now);
        }
    }
    if (!batch_.empty() && now - sent_at_ >= answer_timeout) {
        send(now);
    }
    return batch_.empty() ? now + look_again : sent_at_ + answer_timeout;
}

bool NodeUplink::build(RecordClass record_class, Instant now) {
    Cursor cursor = outbox_.cursor(0, record_class);
    CborBatch batch(memory_.batch, memory_.entries);
    bool begun = false;
    BatchHead head{name_, {}, 0, record_class, RecordKind::reading};
    std::uint64_t to = 0;
    for (std::size_t i = 0; i < memory_.entries.size(); ++i) {
        const auto item = outbox_.next(cursor, memory_.record, now);
        if (!item) {
            break;
        }
        const std::uint64_t epoch = item->record ? item->record->id.epoch : item->gap.epoch;
        const RecordKind kind = item->record ? item->record->kind : head.kind;
        if (begun && (epoch != head.epoch || kind != head.kind)) {
            break;
        }
        if (!begun) {
            head.epoch = epoch;
            head.kind = kind;
            batch.begin(head);
            begun = true;
        }
        const auto added =
            item->record ? batch.add(*item->record, std::nullopt) : batch.add(item->gap);
        if (!added || !*added) {
            break;
        }
        to = item->record ? item->record->id.seq : item->gap.to;
    }
    if (to == 0) {
        return false;
    }
    batch_ = batch.end();
    awaited_ = {head.epoch, static_cast<std::uint8_t>(record_class), to};
    return true;
}

void NodeUplink::send(Instant now) {
    std::array<std::uint8_t, node_link::batch_head_size> head{};
    Writer(head).u32_be(outbox_.boot()).u64_be(static_cast<std::uint64_t>(now.ms()));
    sent_at_ = now;
    if (node_link::send(node_link::FrameType::batch, head, batch_, bus_)) {
        ++sent_;
    }
}

}  // namespace jw
