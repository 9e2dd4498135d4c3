// SPDX-License-Identifier: Apache-2.0
#pragma once
// Delivery: drains the outbox to one sink. It picks the class whose turn it is, builds batches,
// remembers what is under way, and confirms what was acknowledged, in order. It does not know what
// a connection is made of: the program sends what next() builds and tells what became of it.
#include <array>
#include <cstdint>
#include <span>

#include "core/base/list.h"
#include "core/base/time.h"
#include "core/outbox/outbox.h"
#include "core/sink/batch.h"
#include "core/task/backoff.h"

namespace jw {

struct DeliverySettings {
    std::size_t sink = 0;  // its index in the outbox
    std::uint32_t records_max = 100;
    Duration age_max = seconds(1);   // how long a record may wait for company; then it goes at once
    std::uint32_t attempts_max = 3;  // of one record that the sink refuses, before it is set aside
    /// What is new overtakes a backlog of telemetry. Off: everything arrives in the order of its
    /// seq.
    bool fresh_first = false;
    std::uint32_t backlog_min = 1000;  // records that wait, from which on it counts as one
    BackoffSettings backoff = {};      // before a batch that was put off is tried again
    std::uint64_t seed = 0;            // of that wait; must differ between gateways
};

/// One batch on its way. `ticket` is the program's (an MQTT packet id).
struct BatchUnderWay {
    std::uint32_t ticket = 0;
    RecordClass record_class = RecordClass::telemetry;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    std::uint32_t records = 0;
    bool acknowledged = false;
    bool fresh = false;  // went ahead of the backlog
};

/// What next() built: where it belongs and the bytes, which stay valid until the next call.
struct OutgoingBatch {
    RecordClass record_class = RecordClass::telemetry;
    RecordKind kind = RecordKind::reading;
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    std::uint32_t records = 0;
    std::uint32_t ttl_s = 0;  // the shortest remaining one; 0: none
    Bytes payload;
};

struct DeliveryCounters {
    std::uint64_t batches = 0;
    std::uint64_t records = 0;
    std::uint64_t gaps = 0;
    std::uint64_t confirmed = 0;  // records
    std::uint64_t requeued = 0;   // batches that must be sent again
    std::uint64_t rejected = 0;   // records that were set aside
    std::uint64_t undecodable = 0;
};

/// Where the records go that a sink refuses for good, so that they do not block the rest.
class DeadLetters {
  public:
    virtual void rejected(const Record& record) = 0;

  protected:
    ~DeadLetters() = default;
};

struct DeliveryMemory {
    std::span<BatchUnderWay> window;  // as many batches as may be under way
    MutableBytes record;              // one record's payload
};

class Delivery {
  public:
    Delivery(Outbox& outbox,
             const DeliverySettings& settings,
             const DeliveryMemory& memory,
             BatchWriter& writer,
             DeadLetters& dead_letters);

    /// Who the batches come from; the views stay valid as long as the delivery.
    void identify(std::string_view gateway, std::string_view site);
    /// A connection stands: begin behind what is confirmed. `window` is what the far side takes.
    void begin(std::size_t window, std::size_t batch_size_max, Instant now);
    /// It is gone: everything under way has to be sent again.
    void end(Instant now);

    /// Builds the next batch. False when nothing is to be sent now: nothing waits, what waits is
    /// younger than age_max, or the window is full.
    bool next(Instant now, OutgoingBatch& batch);
    /// The batch of the last next() was handed over under this ticket.
    void sent(std::uint32_t ticket);
    /// It could not be handed over; it will be built again.
    void not_sent();
    void acknowledged(std::uint32_t ticket, Instant now);
    /// The sink refused the batch for what is in it: its records are tried one by one, then set
    /// aside.
    void refused(std::uint32_t ticket, Instant now);
    /// The sink refused the batch for a reason that is not the batch's (rights, a quota): it is
    /// kept, and its lane rests with a growing back-off, `at_least` so long or until the next
    /// connection. From then on one batch of the lane is tried until one is acknowledged. False
    /// where nothing of this ticket is under way.
    bool put_off(std::uint32_t ticket, Instant now, Duration at_least);
    /// Whether something was put off and nothing of its lane was acknowledged since.
    [[nodiscard]] bool puts_off() const;

    /// When next() may have something although nothing new happens.
    [[nodiscard]] Instant due(Instant now) const;
    [[nodiscard]] std::size_t under_way() const { return window_.size(); }
    [[nodiscard]] const DeliveryCounters& counters() const { return counters_; }
    /// When something was confirmed last; negative: never.
    [[nodiscard]] Instant last_confirmed() const { return last_confirmed_; }

  private:
    struct Lane {
        Cursor cursor;
        std::uint64_t waiting_to = 0;  // everything up to here waits at least
        Instant waiting_since;         // since then
        std::uint32_t credit = 0;
        std::uint64_t alone_to = 0;  // up to here records go one by one
        std::uint32_t attempts = 0;  // of the record `attempted`
        std::uint64_t attempted = 0;
        Instant rests_until;   // after put_off()
        bool put_off = false;  // and nothing was acknowledged since
    };
    /// A record that is not tried again; forgotten once its gap is confirmed.
    struct SetAside {
        RecordClass record_class = RecordClass::telemetry;
        std::uint64_t seq = 0;
        bool told = false;  // to DeadLetters
    };

    /// A batch that is being built.
    struct Building {
        BatchHead head;
        bool begun = false;
    };

    /// One lane a class, and behind them the one in which fresh telemetry overtakes a backlog.
    static constexpr std::size_t fresh_lane = record_classes;
    static constexpr std::size_t lanes = record_classes + 1;
    static constexpr std::size_t lane_of(const BatchUnderWay& batch) {
        return batch.fresh ? fresh_lane : static_cast<std::size_t>(batch.record_class);
    }
    static constexpr RecordClass class_of(std::size_t lane) {
        return lane == fresh_lane ? RecordClass::telemetry : static_cast<RecordClass>(lane);
    }

    [[nodiscard]] std::uint64_t last_of(std::size_t lane) const;
    void open_fresh_lane();
    void join_lanes(Instant now);
    [[nodiscard]] bool waits(std::size_t lane) const;
    [[nodiscard]] bool held_up(std::size_t lane) const;
    [[nodiscard]] Instant ready_from(std::size_t lane, Instant now) const;
    std::size_t choose(Instant now);
    bool build(std::size_t index, Instant now, OutgoingBatch& batch);
    bool take_next(Lane& lane, Building& building, OutgoingBatch& batch, Instant now);
    static bool belongs(const Item& item, const Building& building);
    bool take(const Item& item, Instant now, Building& building, OutgoingBatch& batch);
    bool take(const Record& record, Instant now, OutgoingBatch& batch);
    void confirm_head(RecordClass record_class, bool fresh, Instant now);
    void restart(std::size_t lane);
    BatchUnderWay requeue(std::size_t index);
    SetAside* find_set_aside(RecordClass record_class, std::uint64_t seq);
    void set_aside(RecordClass record_class, std::uint64_t seq);
    void forget_set_aside(RecordClass record_class);

    Outbox& outbox_;
    DeliverySettings settings_;
    List<BatchUnderWay> window_;
    MutableBytes record_buffer_;
    BatchWriter& writer_;
    DeadLetters& dead_letters_;
    std::string_view gateway_;
    std::string_view site_;
    std::array<Lane, lanes> lanes_{};
    Backoff backoff_;  // one for all lanes: they rest for the same reason
    FixedList<SetAside, 8> set_aside_;
    std::uint64_t fresh_from_ = 0;       // 0: no backlog is being overtaken
    std::uint64_t fresh_acked_ = 0;      // everything from fresh_from_ up to here is acknowledged
    std::size_t buffered_lane_ = lanes;  // whose read-ahead lies in the record buffer
    std::size_t window_max_ = 0;
    std::size_t built_lane_ = lanes;
    OutgoingBatch built_;
    Cursor built_behind_;
    DeliveryCounters counters_;
    Instant last_confirmed_{-1};
};

}  // namespace jw
