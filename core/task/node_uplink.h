// SPDX-License-Identifier: Apache-2.0
#pragma once
// NodeUplink: what Delivery is to a gateway, small enough for a node. One batch is under way at a
// time; it is sent again until the gateway says that its medium has it.
#include <span>
#include <string_view>

#include "core/base/ports.h"
#include "core/codec/node_link.h"
#include "core/outbox/outbox.h"
#include "core/sink/batch.h"

namespace jw {

struct NodeUplinkMemory {
    MutableBytes batch;             // one CBOR batch
    std::span<BatchEntry> entries;  // as many records as a batch may have
    MutableBytes record;            // one record's payload, as Outbox::next() wants it
    MutableBytes receive;           // one acknowledgement
};

class NodeUplink {
  public:
    NodeUplink(Outbox& outbox, Bus& bus, std::string_view name, const NodeUplinkMemory& memory);

    void received(Bytes bytes, Instant now);
    Instant step(Instant now);
    [[nodiscard]] std::uint32_t sent() const { return sent_; }
    [[nodiscard]] std::uint64_t confirmed() const { return confirmed_; }

  private:
    bool build(RecordClass record_class, Instant now);
    void send(Instant now);

    Outbox& outbox_;
    Bus& bus_;
    std::string_view name_;
    NodeUplinkMemory memory_;
    node_link::Receiver receiver_;
    node_link::Acknowledge awaited_;
    Bytes batch_;  // empty: none under way
    Instant sent_at_{0};
    std::uint32_t sent_ = 0;
    std::uint64_t confirmed_ = 0;
};

}  // namespace jw
