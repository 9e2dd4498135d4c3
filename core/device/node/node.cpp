// SPDX-License-Identifier: Apache-2.0
#include "core/device/node/node.h"

#include <algorithm>

#include "core/base/cbor.h"

namespace jw::node {
namespace {

constexpr std::size_t frame_size_max = 4096;
// How often the outbox is asked whether it has what a node waits for.
constexpr Duration look_again = milliseconds(20);

Device* make(Arena& arena, const DeviceSettings& settings, DeviceOut& out) {
    return &arena.make<NodeDevice>(settings, out, arena.array<std::uint8_t>(frame_size_max));
}

// What a node of today's firmware can read; its own driver says which of them it has.
constexpr Capability capabilities[] = {
    {Quantity::power_w, 0},
    {Quantity::power_min_w, 0},
    {Quantity::power_max_w, 0},
    {Quantity::voltage_mv, 0},
    {Quantity::voltage_mv, 1},
    {Quantity::voltage_mv, 2},
    {Quantity::voltage_mv, 3},
    {Quantity::current_ma, 0},
    {Quantity::current_ma, 1},
    {Quantity::current_ma, 2},
    {Quantity::current_ma, 3},
    {Quantity::frequency_mhz, 0},
    {Quantity::energy_import_wh, 0},
    {Quantity::energy_export_wh, 0},
    {Quantity::energy_wh, 0},
    {Quantity::temperature_mc, 0},
    {Quantity::relay_closed, 0},
    {Quantity::pulse_count, 0},
    {Quantity::power_factor_permille, 0},
    {Quantity::up_time_s, 0},
};

}  // namespace

const Driver driver{.name = "node",
                    .line = LineKind::stream,
                    .memory = sizeof(NodeDevice) + frame_size_max + 2 * alignof(NodeDevice),
                    .capabilities = capabilities,
                    .make = &make,
                    .stores_readings = true};

NodeDevice::NodeDevice(const DeviceSettings& settings, DeviceOut& out, MutableBytes buffer)
    : settings_(settings), out_(out), receiver_(buffer) {}

Status NodeDevice::act(Quantity /*quantity*/, std::int64_t /*value*/, Instant /*now*/) {
    return JW_FAIL(unsupported);
}

Status NodeDevice::poll_now(Instant /*now*/) {
    return JW_FAIL(unsupported);
}

void NodeDevice::connected(Instant now) {
    last_frame_ = now;
}

void NodeDevice::disconnected(Instant now) {
    pending_.clear();  // the node sends again whatever we did not acknowledge
    out_.failed(JW_FAIL(not_found), now);
}

void NodeDevice::received(Bytes bytes, Instant now) {
    for (const std::uint8_t byte : bytes) {
        const auto frame = receiver_.take(byte);
        if (!frame || frame->type != node_link::FrameType::batch) {
            continue;
        }
        last_frame_ = now;
        take_batch(frame->body, now);
    }
}

void NodeDevice::take_batch(Bytes body, Instant now) {
    Reader in(body);
    sent_boot_ = in.u32_be();
    sent_up_ms_ = static_cast<std::int64_t>(in.u64_be());
    if (!in.ok()) {
        ++counters_.damaged;
        return;
    }
    now_ = now;
    last_ = {};
    stored_ = done;
    if (!read_batch(in.rest(), *this)) {
        ++counters_.damaged;
        out_.failed(JW_FAIL(malformed), now);
        return;
    }
    ++counters_.batches;
    if (!stored_ || last_.seq == 0) {
        return;  // not taken whole: no acknowledgement, the node sends it again
    }
    // Of a repeated batch we do not know our numbers any more: they are not above the last one.
    const Pending pending{last_stored_,
                          {last_.epoch, static_cast<std::uint8_t>(last_.record_class), last_.seq}};
    (void)pending_.push(pending);  // no room: the node sends it again
}

void NodeDevice::record(const BatchHead& head, const Record& record, bool has_wall_time) {
    if (head.epoch != epoch_) {
        epoch_ = head.epoch;
        seen_ = {};
    }
    std::uint64_t& seen = seen_[static_cast<std::size_t>(record.id.record_class)];
    if (record.id.seq <= seen) {
        ++counters_.repeated;
        last_ = record.id;
        return;
    }
    if (!stored_ || record.kind != RecordKind::reading) {
        return;
    }
    Reader payload(record.payload);
    reading_ = {};
    if (!from_cbor(payload, reading_)) {
        ++counters_.damaged;
        last_ = record.id;  // it will not get better by sending it again
        seen = record.id.seq;
        return;
    }
    reading_.device = settings_.name;
    // The node's clock is not ours: what counts is how long before sending it was taken. Without
    // that (another boot of the node, or its own wall time) it counts as taken now.
    // A record from after the batch was sent, or from before the node ran, has none either.
    const bool has_age = !has_wall_time && record.time.boot == sent_boot_ &&
                         record.time.up_ms >= 0 && record.time.up_ms <= sent_up_ms_;
    const std::int64_t age_ms = has_age ? sent_up_ms_ - record.time.up_ms : 0;
    Instant taken = now_ - milliseconds(std::min(age_ms, now_.ms()));
    taken = later(taken, last_taken_);
    const auto stored = out_.store(reading_, taken);
    if (!stored) {
        stored_ = stored.error();
        return;
    }
    last_taken_ = taken;
    out_.reading(reading_, taken);
    last_stored_ = *stored;
    last_ = record.id;
    seen = record.id.seq;
    ++counters_.records;
}

void NodeDevice::gap(const Gap& gap) {
    ++counters_.gaps;
    if (gap.epoch == epoch_) {
        std::uint64_t& seen = seen_[static_cast<std::size_t>(gap.record_class)];
        seen = std::max(seen, gap.to);
    }
    if (last_.seq < gap.to) {
        last_ = {gap.epoch, gap.record_class, gap.to};
    }
}

Instant NodeDevice::step(Instant now) {
    while (!pending_.empty() && pending_[0].stored <= out_.stored_to()) {
        std::array<std::uint8_t, 64> wire{};
        Writer out(wire);
        if (bus_ == nullptr || !node_link::encode(pending_[0].acknowledge, out) ||
            !bus_->send(out.written())) {
            return now + look_again;
        }
        pending_.remove(0);
    }
    const Duration silence = std::max(settings_.poll * 3, seconds(10));
    if (last_frame_.us < 0) {
        last_frame_ = now;
    } else if (now - last_frame_ > silence) {
        last_frame_ = now;
        out_.failed(JW_FAIL(timeout), now);
    }
    const Instant quiet = last_frame_ + silence + milliseconds(1);
    return pending_.empty() ? quiet : earlier(quiet, now + look_again);
}

}  // namespace jw::node
