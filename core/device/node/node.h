// SPDX-License-Identifier: Apache-2.0
#pragma once
// node: a node of ours on a serial line. It sends batches of records and releases them only when we
// say that they are on our medium; so nothing is lost when either side is cut off.
#include <array>
#include <cstdint>

#include "core/codec/node_link.h"
#include "core/device/device.h"
#include "core/model/batch.h"

namespace jw::node {

/// Batches of one node that wait until our outbox has them on its medium.
struct Pending {
    std::uint64_t stored = 0;  // our number of the batch's last record
    node_link::Acknowledge acknowledge;
};

struct Counters {
    std::uint32_t batches = 0;
    std::uint32_t records = 0;
    std::uint32_t repeated = 0;  // records that were here before
    std::uint32_t gaps = 0;      // numbers that the node lost
    std::uint32_t damaged = 0;   // frames or batches that could not be read
};

/// Takes frames of node_link; one node per line. A record that was seen before (same epoch, class
/// and seq) is acknowledged again and not stored again; that memory does not outlive a restart of
/// the gateway, so a restart may store a record twice, never lose one.
class NodeDevice final : public Device, public Line, private BatchReader {
  public:
    NodeDevice(const DeviceSettings& settings, DeviceOut& out, MutableBytes buffer);

    Status act(Quantity quantity, std::int64_t value, Instant now) override;
    Status poll_now(Instant now) override;
    Line* stream() override { return this; }
    void use_bus(Bus& bus) override { bus_ = &bus; }

    void connected(Instant now) override;
    void disconnected(Instant now) override;
    void received(Bytes bytes, Instant now) override;
    Instant step(Instant now) override;

    [[nodiscard]] const Counters& counters() const { return counters_; }

  private:
    void take_batch(Bytes body, Instant now);
    void record(const BatchHead& head, const Record& record, bool has_wall_time) override;
    void gap(const Gap& gap) override;

    DeviceSettings settings_;
    DeviceOut& out_;
    Bus* bus_ = nullptr;
    node_link::Receiver receiver_;
    FixedList<Pending, 16> pending_;
    std::uint64_t epoch_ = 0;
    std::array<std::uint64_t, record_classes> seen_{};
    std::uint64_t last_stored_ = 0;  // our number of the last record of this node
    // Of the batch that is being read:
    Instant now_;
    std::uint32_t sent_boot_ = 0;
    std::int64_t sent_up_ms_ = 0;
    RecordId last_;
    Status stored_ = done;
    Instant last_frame_{-1};
    Instant last_taken_{-1};
    Counters counters_;
    Reading reading_;
};

extern const Driver driver;

}  // namespace jw::node
