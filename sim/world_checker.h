// SPDX-License-Identifier: Apache-2.0
#pragma once
// Knows what the gateway promised and what arrived, and says where the two differ. It believes no
// counter of the gateway: it reads each record itself when it is accepted.
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/record.h"
#include "core/outbox/outbox.h"
#include "sim/world_stage.h"

namespace jw::sim {

struct WorldCounts {
    std::uint64_t accepted = 0;
    std::uint64_t delivered = 0;  // first arrivals
    std::uint64_t repeated = 0;   // further arrivals
    std::uint64_t gaps = 0;       // accepted numbers that were announced as given up
    std::uint64_t lost = 0;
    std::uint64_t invented = 0;    // arrived, though never accepted
    std::uint64_t changed = 0;     // arrived with other content or time
    std::uint64_t disordered = 0;  // arrived for the first time behind a later one
    std::uint64_t commands = 0;
    std::uint64_t executed = 0;
    std::uint64_t executed_twice = 0;
    std::uint64_t unreported = 0;  // commands without a result that arrived
};

class WorldChecker {
  public:
    explicit WorldChecker(WorldStage& stage) : stage_(stage) {}

    /// A boot begins; its Instant{0} is this wall time.
    void boot(std::uint32_t boot, std::int64_t unix_ms) { boots_[boot] = unix_ms; }
    /// Reads what was accepted since the last call.
    void audit(Outbox& outbox, Instant local_now);
    /// A batch reached the subscriber. Gives what it now has of each class without a hole.
    void arrived(std::string_view batch);
    [[nodiscard]] std::uint64_t received_to(RecordClass record_class) const {
        return received_[static_cast<std::size_t>(record_class)];
    }
    [[nodiscard]] std::uint64_t received_epoch() const { return received_epoch_; }

    void commanded(std::size_t id, std::size_t unit, bool value, Instant expiry);
    /// The device is told to switch.
    void written(std::size_t unit, bool value);

    /// Whether everything that was accepted before has arrived or is announced as given up.
    [[nodiscard]] bool complete(Instant before) const;
    /// Counts what is missing.
    void finish(Instant before);
    void wrong(std::string what);

    [[nodiscard]] const WorldCounts& counts() const { return counts_; }
    /// What broke first; empty: nothing.
    [[nodiscard]] const std::string& broken() const { return broken_; }

  private:
    struct Accepted {
        std::uint64_t epoch = 0;
        std::uint64_t content = 0;  // checksum
        BootTime time;
        Instant at;
        bool arrived = false;
        bool given_up = false;
        std::size_t command = 0;  // of a result
        bool says_executed = false;
        bool known = false;  // a number that is no record leaves a hole
    };
    struct CommandFate {
        std::size_t unit = 0;
        bool value = false;
        Instant expiry;
        bool stood = false;  // the relay stood as wanted at some time since
        unsigned executed = 0;
        unsigned reported = 0;
    };
    void take(const Record& record);
    void take_records(std::string_view& rest, std::uint64_t epoch, std::size_t record_class);
    void record_arrived(std::string_view record, std::uint64_t epoch, std::size_t record_class);
    void gap_arrived(std::string_view gap, std::size_t record_class);
    void advance(std::size_t record_class);
    Accepted* find(std::size_t record_class, std::uint64_t seq);

    WorldStage& stage_;
    std::array<std::vector<Accepted>, record_classes> accepted_;  // by seq - 1
    std::array<std::uint64_t, record_classes> audited_{};
    std::array<std::uint64_t, record_classes> highest_{};  // first arrivals
    std::array<std::uint64_t, record_classes> received_{};
    std::array<std::vector<bool>, record_classes> told_{};  // record or gap arrived, by seq - 1
    std::uint64_t received_epoch_ = 0;
    std::map<std::uint32_t, std::int64_t> boots_;
    std::map<std::size_t, CommandFate> commands_;
    std::map<std::size_t, bool> open_;  // relays, by unit
    WorldCounts counts_;
    std::string broken_;
};

}  // namespace jw::sim
