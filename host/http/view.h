// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the API shows of a gateway, as functions: the program fills them, tests fake them.
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/duration_counts.h"
#include "core/base/time.h"
#include "core/bus/modbus_line.h"
#include "core/device/device.h"
#include "core/model/command.h"
#include "core/model/event.h"
#include "core/model/record.h"
#include "core/model/snapshot.h"
#include "core/task/alerts.h"
#include "core/trust/command_journal.h"
#include "host/history/local_history.h"
#include "host/http/battery_view.h"

namespace jw::http {

struct DeviceView {
    std::string title;
    std::string bus;
    std::string bus_type;
    std::string address;
    DeviceInfo info;  // name and driver are always there
    Duration keep;
    std::span<const Capability> capabilities;  // those that can be set are shown
};

struct ClassView {
    std::uint64_t appended_to = 0;
    std::uint64_t accepted_to = 0;
    std::uint64_t rejected = 0;
    std::uint64_t dropped = 0;
    std::uint64_t expired = 0;
    std::uint64_t damaged = 0;
    std::uint64_t thinned = 0;  // records less, since readings were kept less often than set
};

struct OutboxView {
    std::uint64_t epoch = 0;
    std::uint32_t boot = 0;
    std::uint64_t bytes_max = 0;
    std::uint64_t bytes_used = 0;
    std::uint64_t bytes_written = 0;  // since the start: flash wear
    std::uint32_t keep_every = 1;     // of so many keep intervals one becomes a record
    std::array<ClassView, record_classes> classes;
};

enum class SinkState : std::uint8_t { connected, connecting, waiting, off };
constexpr auto enum_names(SinkState) {
    return std::array{"connected", "connecting", "waiting", "off"};
}

struct SinkView {
    std::string name;
    std::string type;
    std::string endpoint;
    SinkState state = SinkState::off;
    std::uint64_t waiting = 0;  // records
    std::optional<Duration> oldest_age;
    std::array<std::uint64_t, record_classes> confirmed_to{};
    std::optional<std::array<std::uint64_t, record_classes>> durable_to;  // two-stage only
    std::optional<Duration> last_confirmed_age;
    std::optional<Duration> retry_in;
    std::string reason;  // why it is not connected; empty: no trouble
    std::uint64_t sent_bytes = 0;
    std::uint64_t in_flight = 0;  // messages
    std::uint64_t rejected = 0;   // records that the sink refused for good
    /// What went wrong how often, by kind; kinds are words for a label.
    std::vector<std::pair<const char*, std::uint64_t>> errors;
    DurationCounts confirm_time;  // from sending a message to its acknowledgement
};

struct FaultView {
    Fault fault;
    Instant since;
};

struct BusView {
    std::string name;
    bool connected = false;
    std::optional<ModbusCounters> modbus;  // absent where devices talk by themselves
    DurationCounts answer_times;           // of Modbus requests
};

/// A command that came through any door, as far as it got.
struct CommandView {
    CommandId id;
    Name target;
    /// Whether its id is in the gateway's table of commands on disk; absent while that is open.
    std::optional<bool> written;
    bool finished = false;
    CommandResult result;
    /// It was not written since signed commands that have not expired fill the table.
    bool table_full = false;
};

/// A command whose request may come again.
struct KeyView {
    CommandId id;
    std::uint64_t request = 0;  // as in RequestKey
    bool refused = false;       // it ended as busy: the device was not asked
};

/// How long this process takes for what others wait for.
struct TimesView {
    DurationCounts loop_stall;  // turns of the loop
    DurationCounts sync;        // of the store
};

/// Every function is set before the first request. All are called on the loop and must not wait.
struct GatewayView {
    std::string gateway;
    std::string site;
    std::string version;
    std::string revision;
    Instant started;
    std::function<Instant()> now;
    std::function<std::optional<std::int64_t>()> unix_ms;  // nothing while the clock is not set
    std::function<bool()> ready;                           // the outbox is open
    std::function<const Snapshot&()> snapshot;
    std::function<DeviceView(std::size_t device)> device;  // same index as in the snapshot
    std::function<std::vector<Parameter>(std::size_t device)> parameters;
    std::function<std::vector<BatteryView>()> batteries;
    std::function<OutboxView()> outbox;
    std::function<std::vector<SinkView>()> sinks;
    std::function<std::vector<FaultView>()> faults;
    std::function<std::vector<BusView>()> buses;
    std::function<TimesView()> times;
    /// `executed`: it was taken, and Api::begun() and Api::finished() will be told, perhaps before
    /// this returns; anything else: why not.
    std::function<ResultCode(const Command&, const RequestKey&)> submit;
    /// The latest command of that key, as the table on disk knows it; none where its day is over.
    std::function<std::optional<KeyView>(std::uint64_t key)> find_key;
    /// What the gateway's table on disk knows of a command, also of an earlier life.
    std::function<std::optional<CommandView>(std::string_view id)> recall;
    std::function<std::span<const Alert>()> alerts;  // oldest first
    std::function<std::uint32_t()> alerts_revision;  // differs whenever they do
    /// As Alerts::acknowledge().
    std::function<Status(std::uint64_t id, const std::string& who)> acknowledge;
    std::function<void(const std::string& who)> forget_alerts;  // those that are over
    /// What it remembers; answers later.
    std::function<void(const HistoryQuery&, History::Render, History::Answer)> history;
    std::function<void(History::RenderSeries, History::Answer)> history_series;
};

}  // namespace jw::http
