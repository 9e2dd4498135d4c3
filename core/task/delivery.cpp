// SPDX-License-Identifier: Apache-2.0
#include "core/task/delivery.h"

#include <algorithm>

#include "core/base/check.h"

namespace jw {
namespace {

// How often a lane may go ahead of the others before each of those has its turn: alarms overtake
// telemetry, fresh telemetry its backlog, and nobody starves.
constexpr std::array<std::uint32_t, record_classes + 1> weights{8, 4, 2, 1, 2};
// In which order lanes are looked at: the fresh one before the backlog of its class.
constexpr std::array<std::size_t, record_classes + 1> order{0, 1, 2, 4, 3};
// Since when something waits that need not wait any longer for company.
constexpr Instant long_ago{-never.us};

RecordKind usual_kind(RecordClass record_class) {
    switch (record_class) {
        case RecordClass::alarm:
            return RecordKind::fault;
        case RecordClass::result:
            return RecordKind::result;
        case RecordClass::billing:
            return RecordKind::event;
        case RecordClass::telemetry:
            break;
    }
    return RecordKind::reading;
}

std::uint64_t epoch_of(const Item& item) {
    return item.record ? item.record->id.epoch : item.gap.epoch;
}

}  // namespace

Delivery::Delivery(Outbox& outbox,
                   const DeliverySettings& settings,
                   const DeliveryMemory& memory,
                   BatchWriter& writer,
                   DeadLetters& dead_letters)
    : outbox_(outbox),
      settings_(settings),
      window_(memory.window),
      record_buffer_(memory.record),
      writer_(writer),
      dead_letters_(dead_letters) {}

void Delivery::identify(std::string_view gateway, std::string_view site) {
    gateway_ = gateway;
    site_ = site;
}

void Delivery::begin(std::size_t window, std::size_t batch_size_max, Instant now) {
    end(now);
    window_max_ = std::min(window, window_.capacity());
    writer_.limit(batch_size_max);
    for (std::size_t lane = 0; lane < record_classes; ++lane) {
        // It has waited for the connection.
        lanes_[lane].waiting_to = last_of(lane);
        lanes_[lane].waiting_since = long_ago;
    }
}

void Delivery::end(Instant /*now*/) {
    counters_.requeued += window_.size();
    window_.clear();
    window_max_ = 0;
    built_lane_ = lanes;
    fresh_from_ = 0;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        restart(lane);
        lanes_[lane].alone_to = 0;
    }
}

void Delivery::restart(std::size_t lane) {
    lanes_[lane].cursor = outbox_.cursor(settings_.sink, class_of(lane));
    lanes_[lane].waiting_to = 0;
}

std::uint64_t Delivery::last_of(std::size_t lane) const {
    const std::uint64_t accepted = outbox_.accepted_to(class_of(lane));
    if (fresh_from_ == 0) {
        return lane == fresh_lane ? 0 : accepted;
    }
    const bool is_backlog = lane == static_cast<std::size_t>(RecordClass::telemetry);
    return is_backlog ? std::min(accepted, fresh_from_ - 1) : accepted;
}

void Delivery::open_fresh_lane() {
    constexpr auto telemetry = static_cast<std::size_t>(RecordClass::telemetry);
    const std::uint64_t accepted = outbox_.accepted_to(RecordClass::telemetry);
    if (!settings_.fresh_first || fresh_from_ != 0 ||
        accepted < lanes_[telemetry].cursor.seq + settings_.backlog_min) {
        return;
    }
    fresh_from_ = accepted + 1;
    fresh_acked_ = accepted;
    lanes_[fresh_lane] = {};
    lanes_[fresh_lane].cursor.record_class = RecordClass::telemetry;
    lanes_[fresh_lane].cursor.seq = fresh_from_;
}

void Delivery::join_lanes(Instant now) {
    if (fresh_from_ == 0 ||
        outbox_.confirmed_to(settings_.sink, RecordClass::telemetry) + 1 < fresh_from_) {
        return;
    }
    // The backlog is through: what overtook it is now the next in order.
    outbox_.confirm(settings_.sink, RecordClass::telemetry, fresh_acked_, now);
    lanes_[static_cast<std::size_t>(RecordClass::telemetry)].cursor = lanes_[fresh_lane].cursor;
    lanes_[static_cast<std::size_t>(RecordClass::telemetry)].cursor.held = 0;
    for (BatchUnderWay& batch : window_) {
        batch.fresh = false;
    }
    fresh_from_ = 0;
    lanes_[fresh_lane] = {};
}

bool Delivery::waits(std::size_t lane) const {
    return last_of(lane) >= lanes_[lane].cursor.seq && (lane != fresh_lane || fresh_from_ != 0);
}

bool Delivery::ready(std::size_t lane, Instant now) const {
    if (!waits(lane)) {
        return false;
    }
    if (class_of(lane) == RecordClass::alarm || class_of(lane) == RecordClass::result) {
        return true;
    }
    const Lane& state = lanes_[lane];
    return last_of(lane) - state.cursor.seq + 1 >= settings_.records_max ||
           (state.cursor.seq <= state.waiting_to && now - state.waiting_since >= settings_.age_max);
}

std::size_t Delivery::choose(Instant now) {
    // Two rounds: with what credit is left, then with everybody's credit renewed.
    for (int round = 0; round < 2; ++round) {
        for (const std::size_t lane : order) {
            if (lanes_[lane].credit > 0 && ready(lane, now)) {
                --lanes_[lane].credit;
                return lane;
            }
        }
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            lanes_[lane].credit = weights[lane];
        }
    }
    return lanes;
}

bool Delivery::next(Instant now, OutgoingBatch& batch) {
    CHECK(built_lane_ == lanes);  // sent() or not_sent() must answer the batch before
    if (window_.size() >= window_max_) {
        return false;
    }
    open_fresh_lane();
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        Lane& state = lanes_[lane];
        if (waits(lane) && state.cursor.seq > state.waiting_to) {
            state.waiting_to = last_of(lane);
            state.waiting_since = now;
        }
    }
    for (std::size_t tries = 0; tries < lanes; ++tries) {
        const std::size_t lane = choose(now);
        if (lane == lanes) {
            return false;
        }
        if (build(lane, now, batch)) {
            return true;
        }
    }
    return false;
}

bool Delivery::build(std::size_t index, Instant now, OutgoingBatch& batch) {
    Lane& lane = lanes_[index];
    if (buffered_lane_ != index) {
        lane.cursor.held = 0;  // another lane's read-ahead lies in the buffer
        buffered_lane_ = index;
    }
    built_behind_ = lane.cursor;
    built_behind_.held = 0;
    batch = {};
    batch.record_class = class_of(index);
    batch.from = lane.cursor.seq;
    Building building{{gateway_, site_, 0, class_of(index), usual_kind(class_of(index))}};
    while (batch.records < settings_.records_max && lane.cursor.seq <= last_of(index) &&
           take_next(lane, building, batch, now)) {
    }
    if (!building.begun && building.early.empty()) {
        return false;
    }
    if (building.begun && writer_.empty()) {
        lane.set_aside = lane.cursor.seq;  // longer than any batch that this sink takes
        return false;
    }
    if (!building.begun) {
        begin_batch(building);
    }
    batch.kind = building.head.kind;
    batch.to = lane.cursor.seq - 1;
    batch.payload = writer_.end();
    built_ = batch;
    built_lane_ = index;
    return true;
}

/// The next record or gap of the lane; false, and the lane is as it was, where the batch ends
/// before it.
bool Delivery::take_next(Lane& lane, Building& building, OutgoingBatch& batch, Instant now) {
    if (lane.cursor.seq <= lane.alone_to && batch.records > 0) {
        return false;
    }
    Cursor before = lane.cursor;
    before.held = 0;
    const auto item = outbox_.next(lane.cursor, record_buffer_, now);
    if (item && belongs(*item, building) && take(*item, lane, building, batch)) {
        return true;
    }
    lane.cursor = before;
    return false;
}

/// A batch is of one epoch and of one kind.
bool Delivery::belongs(const Item& item, const Building& building) {
    const bool empty = !building.begun && building.early.empty();
    const bool same_epoch = empty || epoch_of(item) == building.head.epoch;
    return same_epoch &&
           (!building.begun || !item.record || item.record->kind == building.head.kind);
}

void Delivery::begin_batch(Building& building) {
    building.begun = true;
    writer_.begin(building.head);
    for (const Gap& gap : building.early) {
        (void)writer_.add(gap);
    }
}

bool Delivery::take(const Item& item, Lane& lane, Building& building, OutgoingBatch& batch) {
    building.head.epoch = epoch_of(item);
    if (!building.begun && item.record) {
        building.head.kind = item.record->kind;
        begin_batch(building);
    }
    if (item.record) {
        return take(*item.record, lane, batch);
    }
    const bool taken = building.begun ? writer_.add(item.gap) : building.early.push(item.gap);
    counters_.gaps += taken ? 1 : 0;
    return taken;
}

bool Delivery::take(const Record& record, Lane& lane, OutgoingBatch& batch) {
    const Gap instead{
        record.id.epoch, record.id.record_class, record.id.seq, record.id.seq, GapReason::rejected};
    if (record.id.seq == lane.set_aside) {
        if (!writer_.add(instead)) {
            return false;
        }
        dead_letters_.rejected(record);
        ++counters_.rejected;
        return true;
    }
    const auto added = writer_.add(record, outbox_.wall_time().unix_ms(record.time));
    if (!added) {
        ++counters_.undecodable;
        Gap damaged = instead;
        damaged.reason = GapReason::damaged;
        return writer_.add(damaged);
    }
    if (*added) {
        ++batch.records;
        if (record.ttl_s != 0 && (batch.ttl_s == 0 || record.ttl_s < batch.ttl_s)) {
            batch.ttl_s = record.ttl_s;
        }
    }
    return *added;
}

void Delivery::sent(std::uint32_t ticket) {
    CHECK(built_lane_ < lanes);
    CHECK(window_.push({.ticket = ticket,
                        .record_class = built_.record_class,
                        .from = built_.from,
                        .to = built_.to,
                        .records = built_.records,
                        .fresh = built_lane_ == fresh_lane}));
    CHECK(window_.size() <= window_max_);  // I-10: never more under way than the far side takes
    counters_.batches += 1;
    counters_.records += built_.records;
    built_lane_ = lanes;
}

void Delivery::not_sent() {
    CHECK(built_lane_ < lanes);
    lanes_[built_lane_].cursor = built_behind_;
    built_lane_ = lanes;
}

void Delivery::acknowledged(std::uint32_t ticket, Instant now) {
    for (BatchUnderWay& batch : window_) {
        if (batch.ticket == ticket && !batch.acknowledged) {
            batch.acknowledged = true;
            confirm_head(batch.record_class, batch.fresh, now);
            join_lanes(now);
            return;
        }
    }
    // A late answer to a batch that was requeued meanwhile: it will be sent again and dropped
    // there.
}

void Delivery::confirm_head(RecordClass record_class, bool fresh, Instant now) {
    std::size_t i = 0;
    while (i < window_.size()) {
        const BatchUnderWay& batch = window_[i];
        if (batch.record_class != record_class || batch.fresh != fresh) {
            ++i;
            continue;
        }
        if (!batch.acknowledged) {
            return;
        }
        if (fresh) {
            fresh_acked_ = batch.to;
        } else {
            outbox_.confirm(settings_.sink, record_class, batch.to, now);
        }
        counters_.confirmed += batch.records;
        last_confirmed_ = now;
        window_.remove(i);
    }
}

void Delivery::refused(std::uint32_t ticket, Instant /*now*/) {
    for (std::size_t i = 0; i < window_.size(); ++i) {
        if (window_[i].ticket != ticket) {
            continue;
        }
        const BatchUnderWay batch = window_[i];
        Lane& lane =
            lanes_[batch.fresh ? fresh_lane : static_cast<std::size_t>(batch.record_class)];
        lane.alone_to = std::max(lane.alone_to, batch.to);
        if (batch.records <= 1) {
            lane.attempts = lane.attempted == batch.to ? lane.attempts + 1 : 1;
            lane.attempted = batch.to;
            if (lane.attempts >= settings_.attempts_max) {
                lane.set_aside = batch.to;
                lane.attempts = 0;
            }
        }
        // This one and what was sent behind it in its lane goes again, so that order stays. What
        // was sent before it is still under way.
        for (std::size_t k = window_.size(); k > i; --k) {
            if (window_[k - 1].record_class == batch.record_class &&
                window_[k - 1].fresh == batch.fresh) {
                window_.remove(k - 1);
                ++counters_.requeued;
            }
        }
        lane.cursor = {};
        lane.cursor.record_class = batch.record_class;
        lane.cursor.seq = batch.from;
        lane.waiting_to = std::max(lane.waiting_to, batch.to);
        lane.waiting_since = long_ago;
        return;
    }
}

Instant Delivery::due(Instant now) const {
    if (window_.size() >= window_max_) {
        return never;
    }
    Instant next = never;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        if (ready(lane, now)) {
            return now;
        }
        if (waits(lane)) {
            const Lane& state = lanes_[lane];
            const bool known = state.cursor.seq <= state.waiting_to;
            next = earlier(next, (known ? state.waiting_since : now) + settings_.age_max);
        }
    }
    return next;
}

}  // namespace jw
