// SPDX-License-Identifier: Apache-2.0
#pragma once
// Gateway: where the steps meet. Readings of all devices go to the snapshot and, kept, to the
// outbox; faults become records; commands find their device. The program owns the lines and the
// sinks and runs step().
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/arena.h"
#include "core/device/device.h"
#include "core/model/event.h"
#include "core/model/keep.h"
#include "core/model/snapshot.h"
#include "core/outbox/outbox.h"
#include "core/task/commands.h"
#include "core/task/faults.h"
#include "core/task/store_audit.h"
#include "core/task/task_queue.h"

namespace jw {

/// What the program wants to know while it happens (page, live sinks).
class GatewayOut {
  public:
    virtual void reading(std::size_t device, const Reading& reading, Instant now) = 0;
    virtual void identified(std::size_t device, const DeviceInfo& info, Instant now) = 0;
    virtual void fault(const Fault& fault, Instant now) = 0;
    /// As CommandPorts::begun().
    virtual void command_begun(const CommandId& id, Status written) = 0;
    virtual void command_finished(const CommandResult& result,
                                  CommandSource source,
                                  Instant now) = 0;
    /// A mistake of ours in the store's numbers; the fault is appended. The program stops, and is
    /// started anew by whoever watches it.
    virtual void breach(const char* what, Instant now) = 0;

  protected:
    ~GatewayOut() = default;
};

struct GatewaySizes {
    std::size_t devices = 0;
    std::size_t tasks = 0;  // lines and whatever else the program adds
    std::size_t faults = 32;
    std::size_t commands = 16;
};

class Gateway final : private FaultOut, private CommandPorts {
  public:
    Gateway(Outbox& outbox,
            CommandJournal& journal,
            Arena& arena,
            const GatewaySizes& sizes,
            GatewayOut& out);
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    /// Makes a device of a driver; memory comes from the arena. At most sizes.devices.
    Device& add_device(const Driver& driver, const DeviceSettings& settings, Arena& arena);
    /// Something of the program that wants its turns in the one loop.
    void add_task(Task& task, Priority priority, Instant due);
    void wake(const Task& task, Instant at) { queue_.wake(task, at); }

    /// After the outbox is open: the event of the start, and the commands that were cut off.
    void start(std::string_view version, Instant now);
    /// An event of the gateway itself; `text` is one sentence for people.
    void tell(EventKind kind, std::string_view text, Instant now);
    /// The wall clock is (again) believed; only the first time of a boot counts for records.
    void learn_time(std::int64_t unix_ms, Instant now);
    /// Wall time now, or nothing while the clock is not set.
    [[nodiscard]] std::optional<std::int64_t> unix_ms(Instant now) const;
    /// Before a stop or a reload: what was gathered is kept, and a sync is asked for.
    void flush(Instant now);
    Instant step(Instant now);

    ResultCode submit(const Command& command,
                      CommandSource source,
                      Instant now,
                      const RequestKey& asked = {});

    [[nodiscard]] Snapshot& snapshot() { return snapshot_; }
    [[nodiscard]] Faults& faults() { return faults_; }
    [[nodiscard]] Commands& commands() { return commands_; }
    [[nodiscard]] Outbox& outbox() { return outbox_; }
    /// Holds the store's numbers against what they were; step() does so every second.
    void audit_against(const StoreNumbers& before, Instant now);
    /// How often a counter of a device's energy fell (I-07).
    [[nodiscard]] std::uint64_t counter_falls() const { return counter_falls_; }
    /// Of so many keep intervals of a device one becomes a record; above 1 while the store fills
    /// and its telemetry is set to WhenFull::thin_out.
    [[nodiscard]] std::uint32_t keep_every() const { return keep_every_; }
    /// Records of telemetry less than there had been otherwise.
    [[nodiscard]] std::uint64_t thinned() const;
    [[nodiscard]] const DeviceInfo& device_info(std::size_t device) const;
    [[nodiscard]] const Driver& driver(std::size_t device) const;
    [[nodiscard]] const DeviceSettings& device_settings(std::size_t device) const;
    [[nodiscard]] Device& device(std::size_t device);

  private:
    /// One device as the gateway sees it; takes what the driver tells.
    struct Port final : DeviceOut {
        Gateway* gateway = nullptr;
        std::size_t index = 0;
        const Driver* driver = nullptr;
        Device* device = nullptr;
        DeviceSettings settings;
        DeviceInfo info;
        Keep keep;
        std::uint32_t wrong_in_row = 0;
        std::uint32_t silent_in_row = 0;
        Instant fall_untold_until;
        Instant silent_since;  // first of silent_in_row
        Instant events_renewed_at;
        std::uint32_t events_told = 0;  // or left out, since then
        bool writes = false;            // a parameter, and this is what it was:
        std::optional<std::int64_t> wrote_over;
        void reading(const Reading& reading, Instant now) override;
        void counter_fell(const CounterFall& fall, Instant now);
        void identified(const DeviceInfo& said, Instant now) override;
        void failed(Error error, Instant now) override;
        void event(std::string_view sentence, Instant now) override;
        void acted(ResultCode code, std::optional<std::int64_t> value, Instant now) override;
        Result<std::uint64_t> store(const Reading& reading, Instant taken_at) override;
        [[nodiscard]] std::uint64_t stored_to() const override;
        void silent(Instant now);
        void watch_room(bool left_out, bool kept, Instant now);
    };

    void changed(const Fault& fault, Instant now) override;
    ResultCode act(const Command& command, Instant now) override;
    ResultCode check(const Command& command) override;
    void begun(const CommandId& id, Status written) override;
    void finished(const CommandResult& result, CommandSource source, Instant now) override;

    void tell_of(const Port& port, std::string_view text, Instant now);
    template <class M>
    bool append(RecordClass record_class, RecordKind kind, const M& message, Instant now);
    void watch_store(Instant now);
    void watch_commands(Instant now);
    void tell_refused(std::uint64_t rejected, Instant now);
    void watch_fill(Instant now);
    void put_spacing(std::uint32_t every, Text& text) const;
    [[nodiscard]] Port* find(std::string_view name);

    Outbox& outbox_;
    GatewayOut& out_;
    TaskQueue queue_;
    Faults faults_;
    Commands commands_;
    Snapshot snapshot_;
    std::span<Port> ports_;
    std::span<DeviceSnapshot> device_snapshots_;
    std::size_t devices_ = 0;
    OutboxCounters seen_;
    StoreNumbers audited_;
    Instant audit_due_;
    std::optional<std::int64_t> unix_at_zero_ms_;  // wall time of Instant{0}
    std::uint32_t keep_every_ = 1;
    std::uint64_t counter_falls_ = 0;
    std::uint64_t refused_ = 0;  // by the store, and not told yet
    Instant refused_told_at_;
    Reading kept_;
};

}  // namespace jw
