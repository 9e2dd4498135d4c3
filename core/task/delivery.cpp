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
      dead_letters_(dead_letters),
      backoff_(settings.backoff, settings.seed) {}

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
        // A new session may have other rights: what was put off is tried once, at once.
        lanes_[lane].rests_until = {};
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
    Lane& fresh = lanes_[fresh_lane];
    fresh = {};
    fresh.cursor.record_class = RecordClass::telemetry;
    fresh.cursor.seq = fresh_from_;
    fresh.rests_until = lanes_[telemetry].rests_until;
    fresh.put_off = lanes_[telemetry].put_off;
}

void Delivery::join_lanes(Instant now) {
    if (fresh_from_ == 0 ||
        outbox_.confirmed_to(settings_.sink, RecordClass::telemetry) + 1 < fresh_from_) {
        return;
    }
    // The backlog is through: what overtook it is now the next in order.
    outbox_.confirm(settings_.sink, RecordClass::telemetry, fresh_acked_, now);
    forget_set_aside(RecordClass::telemetry);
    Lane& lane = lanes_[static_cast<std::size_t>(RecordClass::telemetry)];
    const Lane& fresh = lanes_[fresh_lane];
    lane.cursor = fresh.cursor;
    lane.cursor.held = 0;
    lane.alone_to = std::max(lane.alone_to, fresh.alone_to);
    lane.rests_until = later(lane.rests_until, fresh.rests_until);
    lane.put_off = lane.put_off || fresh.put_off;
    for (BatchUnderWay& batch : window_) {
        batch.fresh = false;
    }
    fresh_from_ = 0;
    lanes_[fresh_lane] = {};
}

bool Delivery::waits(std::size_t lane) const {
    return last_of(lane) >= lanes_[lane].cursor.seq && (lane != fresh_lane || fresh_from_ != 0);
}

/// Whether the lane must wait for the answer to what it has under way: its records go one by one,
/// so that a refusal names one of them, or it tries again what was put off.
bool Delivery::held_up(std::size_t lane) const {
    if (!lanes_[lane].put_off && lanes_[lane].cursor.seq > lanes_[lane].alone_to) {
        return false;
    }
    return std::any_of(window_.begin(), window_.end(), [lane](const BatchUnderWay& batch) {
        return lane_of(batch) == lane;
    });
}

/// When the lane's turn may come, as far as is known now.
Instant Delivery::ready_from(std::size_t lane, Instant now) const {
    if (!waits(lane) || held_up(lane)) {
        return never;
    }
    const Lane& state = lanes_[lane];
    const bool at_once = class_of(lane) == RecordClass::alarm ||
                         class_of(lane) == RecordClass::result ||
                         last_of(lane) - state.cursor.seq + 1 >= settings_.records_max;
    const bool known = state.cursor.seq <= state.waiting_to;
    const Instant in_company = (known ? state.waiting_since : now) + settings_.age_max;
    return later(state.rests_until, at_once ? long_ago : in_company);
}

std::size_t Delivery::choose(Instant now) {
    // Two rounds: with what credit is left, then with everybody's credit renewed.
    for (int round = 0; round < 2; ++round) {
        for (const std::size_t lane : order) {
            if (lanes_[lane].credit > 0 && ready_from(lane, now) <= now) {
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
    if (!building.begun) {
        return false;
    }
    if (writer_.empty()) {
        // Longer than any batch that this sink takes.
        set_aside(class_of(index), lane.cursor.seq);
        return false;
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
    if (item && belongs(*item, building) && take(*item, now, building, batch)) {
        return true;
    }
    lane.cursor = before;
    return false;
}

/// A batch is of one epoch and of one kind.
bool Delivery::belongs(const Item& item, const Building& building) {
    return !building.begun || (epoch_of(item) == building.head.epoch &&
                               (!item.record || item.record->kind == building.head.kind));
}

bool Delivery::take(const Item& item, Instant now, Building& building, OutgoingBatch& batch) {
    if (!building.begun) {
        building.head.epoch = epoch_of(item);
        building.head.kind = item.record ? item.record->kind : building.head.kind;
        building.begun = true;
        writer_.begin(building.head);
    }
    if (item.record) {
        return take(*item.record, now, batch);
    }
    const bool taken = writer_.add(item.gap);
    counters_.gaps += taken ? 1 : 0;
    return taken;
}

bool Delivery::take(const Record& record, Instant now, OutgoingBatch& batch) {
    const Gap instead{
        record.id.epoch, record.id.record_class, record.id.seq, record.id.seq, GapReason::rejected};
    if (SetAside* known = find_set_aside(record.id.record_class, record.id.seq)) {
        if (!writer_.add(instead)) {
            return false;
        }
        if (!known->told) {
            known->told = true;
            ++counters_.rejected;
            dead_letters_.rejected(record);
        }
        return true;
    }
    const auto added = writer_.add(record, outbox_.wall_time().unix_ms(record.time));
    if (!added) {
        Gap damaged = instead;
        damaged.reason = GapReason::damaged;
        const bool told = writer_.add(damaged);
        counters_.undecodable += told ? 1 : 0;
        return told;
    }
    if (*added) {
        ++batch.records;
        if (record.ttl_s != 0) {
            const std::int64_t left_s = (outbox_.remaining_ms(record, now) + 999) / 1000;
            const auto left = static_cast<std::uint32_t>(std::max<std::int64_t>(left_s, 1));
            batch.ttl_s = batch.ttl_s == 0 ? left : std::min(batch.ttl_s, left);
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
            Lane& lane = lanes_[lane_of(batch)];
            if (lane.put_off) {
                lane.put_off = false;
                backoff_.forgive();
            }
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
            forget_set_aside(record_class);
        }
        counters_.confirmed += batch.records;
        last_confirmed_ = now;
        window_.remove(i);
    }
}

void Delivery::refused(std::uint32_t ticket, Instant now) {
    for (std::size_t i = 0; i < window_.size(); ++i) {
        if (window_[i].ticket != ticket) {
            continue;
        }
        if (window_[i].records == 0) {
            (void)put_off(ticket, now, {});  // gaps must be told: there is nothing to set aside
            return;
        }
        const BatchUnderWay batch = requeue(i);
        Lane& lane = lanes_[lane_of(batch)];
        lane.alone_to = std::max(lane.alone_to, batch.to);
        if (batch.records == 1) {
            lane.attempts = lane.attempted == batch.to ? lane.attempts + 1 : 1;
            lane.attempted = batch.to;
            if (lane.attempts >= settings_.attempts_max) {
                set_aside(batch.record_class, batch.to);
                lane.attempts = 0;
            }
        }
        return;
    }
}

bool Delivery::put_off(std::uint32_t ticket, Instant now, Duration at_least) {
    for (std::size_t i = 0; i < window_.size(); ++i) {
        if (window_[i].ticket == ticket) {
            Lane& lane = lanes_[lane_of(requeue(i))];
            lane.put_off = true;
            lane.rests_until = now + backoff_.lost(now, at_least);
            return true;
        }
    }
    return false;
}

bool Delivery::puts_off() const {
    return std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.put_off; });
}

/// This batch and what was sent behind it in its lane goes again, so that order stays. What was
/// sent before it is still under way.
BatchUnderWay Delivery::requeue(std::size_t index) {
    const BatchUnderWay batch = window_[index];
    for (std::size_t i = window_.size(); i > index; --i) {
        if (lane_of(window_[i - 1]) == lane_of(batch)) {
            window_.remove(i - 1);
            ++counters_.requeued;
        }
    }
    Lane& lane = lanes_[lane_of(batch)];
    lane.cursor = {};
    lane.cursor.record_class = batch.record_class;
    lane.cursor.seq = batch.from;
    lane.waiting_to = std::max(lane.waiting_to, batch.to);
    lane.waiting_since = long_ago;
    return batch;
}

Delivery::SetAside* Delivery::find_set_aside(RecordClass record_class, std::uint64_t seq) {
    for (SetAside& known : set_aside_) {
        if (known.record_class == record_class && known.seq == seq) {
            return &known;
        }
    }
    return nullptr;
}

void Delivery::set_aside(RecordClass record_class, std::uint64_t seq) {
    if (find_set_aside(record_class, seq) != nullptr) {
        return;
    }
    // Each is soon confirmed, except of fresh telemetry. The oldest would be refused once more.
    if (set_aside_.size() == set_aside_.capacity()) {
        set_aside_.remove(0);
    }
    CHECK(set_aside_.push({record_class, seq}));
}

void Delivery::forget_set_aside(RecordClass record_class) {
    const std::uint64_t confirmed = outbox_.confirmed_to(settings_.sink, record_class);
    for (std::size_t i = set_aside_.size(); i > 0; --i) {
        const SetAside& known = set_aside_[i - 1];
        if (known.record_class == record_class && known.seq <= confirmed) {
            set_aside_.remove(i - 1);
        }
    }
}

Instant Delivery::due(Instant now) const {
    if (window_.size() >= window_max_) {
        return never;
    }
    Instant next = never;
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        next = earlier(next, later(now, ready_from(lane, now)));
    }
    return next;
}

}  // namespace jw
