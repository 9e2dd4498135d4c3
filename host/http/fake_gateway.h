// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests: a gateway that nobody runs, behind its server and door.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "host/http/api.h"
#include "host/http/server.h"
#include "host/http/test_client.h"

namespace jw::http {

inline constexpr const char* upgrade_headers =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Version: 13\r\n";
inline constexpr const char* operator_token = "Authorization: Bearer operator-token\r\n";

/// A gateway of two devices that nobody runs.
struct FakeGateway {
    FakeGateway() {
        devices[0].name = "grid";
        devices[0].poll = seconds(1);
        devices[0].values = List<LatestValue>(values[0]);
        devices[1].name = "relay";
        devices[1].poll = seconds(5);
        devices[1].values = List<LatestValue>(values[1]);
        view.gateway = "gw";
        view.site = "site";
        view.version = "0.1.0";
        view.revision = "abc";
        view.now = [this] { return now; };
        view.unix_ms = [this] { return unix_ms; };
        view.ready = [this] { return ready; };
        view.snapshot = [this]() -> const Snapshot& { return snapshot; };
        view.device = [this](std::size_t device) { return about(device); };
        view.parameters = [](std::size_t) { return std::vector<Parameter>{}; };
        view.batteries = [this] { return batteries; };
        view.outbox = [this] { return outbox; };
        view.sinks = [this] { return sinks; };
        view.faults = [this] { return faults; };
        view.buses = [this] { return buses; };
        view.times = [this] { return times; };
        view.submit = [this](const Command& command, const RequestKey& asked) {
            return submit(command, asked);
        };
        view.find_key = [this](std::uint64_t key) {
            return keys.contains(key) ? std::optional(keys.at(key)) : std::nullopt;
        };
        view.recall = [this](std::string_view id) -> std::optional<CommandView> {
            return recalled && recalled->id == id ? recalled : std::nullopt;
        };
        use_history();
        use_alerts();
        SinkView sink;
        sink.name = "broker";
        sink.type = "mqtt";
        sink.endpoint = "127.0.0.1:1883";
        sink.state = SinkState::waiting;
        sink.waiting = 7;
        sink.oldest_age = seconds(90);
        sink.retry_in = seconds(3);
        sink.reason = "connection refused \xFF";
        sink.confirmed_to = {1, 2, 3, 4};
        sink.errors = {{"connection", 2}, {"refused", 1}};
        sink.confirm_time.add(milliseconds(7));
        sinks.push_back(sink);
        outbox.epoch = 0xABCDEF;
        outbox.bytes_max = 1000;
        outbox.bytes_used = 10;
        outbox.keep_every = 4;
        outbox.classes[3].thinned = 21;
        faults.push_back({{Name("broker"),
                           FaultKind::sink_unreachable,
                           Severity::warning,
                           true,
                           Detail("The broker does not answer.")},
                          Instant{}});
        faults.push_back(
            {{Name(), FaultKind::clock_not_set, Severity::alarm, true, Detail("x")}, Instant{}});
        BusView bus;
        bus.name = "rs485";
        bus.modbus = ModbusCounters{};
        bus.answer_times.add(milliseconds(40));
        buses = {bus, {"p1", true, std::nullopt, {}}};
        times.loop_stall.add(microseconds(300));
        times.loop_stall.add(milliseconds(5));
        times.loop_stall.add(milliseconds(70));
        times.sync.add(seconds(9));
    }
    void use_alerts() {
        view.alerts = [this] { return alerts.items(); };
        view.alerts_revision = [this] { return alerts.revision(); };
        view.acknowledge = [this](std::uint64_t id, const std::string& who) {
            return alerts.acknowledge(id, who);
        };
        view.forget_alerts = [this](const std::string& /*who*/) { alerts.forget_cleared(); };
        for (const char* device : {"grid", "relay"}) {
            alerts.changed(
                {Name(device), FaultKind::device_silent, Severity::alarm, true, "Silent."},
                now - seconds(30));
        }
    }
    void use_history() {
        view.history = [this](const HistoryQuery& query,
                              const History::Render& render,
                              const History::Answer& answer) {
            asked = query;
            answer(history ? Result<std::string>(render({query, 10, *history}))
                           : Result<std::string>(JW_FAIL(unsupported)));
        };
        view.history_series = [](const History::RenderSeries& render,
                                 const History::Answer& answer) {
            answer(render({{{Name("grid"), Quantity::power_w, 1}, 1'790'000'000, 1'790'000'100}}));
        };
    }
    ResultCode submit(const Command& command, const RequestKey& asked) {
        submitted.push_back(command);
        const bool no_room = written && !*written && written->code() == Code::full;
        if (answer == ResultCode::executed && asked.key != 0 && !no_room) {
            keys[asked.key] = {command.id, asked.request, false};
        }
        if (answer == ResultCode::executed && written) {
            begun(command.id, *written);
        }
        return answer;
    }
    DeviceView about(std::size_t device) const {
        DeviceView about;
        about.title = device == 0 ? "Grid meter" : "Relay <b>";
        about.bus = "rs485";
        about.bus_type = "modbus_rtu";
        about.address = "/dev/ttyUSB0";
        about.info.driver = "demo_meter";
        about.info.maker = "\xC3\x28";  // not UTF-8
        about.keep = seconds(60);
        about.capabilities = capabilities;
        return about;
    }
    void reading(Api& api, std::int64_t watts) {
        Reading reading;
        reading.device = "grid";
        reading.values.put(Quantity::power_w, 0, watts);
        reading.values.put(Quantity::power_w, 1, watts);
        reading.values.put(Quantity::voltage_mv, 1, 230'100);
        reading.values.put(Quantity::energy_import_wh, 1, 1000);
        reading.values.put(Quantity::energy_import_wh, 2, 500);
        reading.values.put(Quantity::soc_permille, 0, 505);
        snapshot.update(0, reading, now);
        api.reading(0, reading, now);
    }

    std::array<DeviceSnapshot, 2> devices;
    std::array<std::array<LatestValue, 8>, 2> values;
    std::array<Capability, 2> capabilities{Capability{Quantity::relay_closed, 0, true, 0, 1},
                                           Capability{Quantity::power_w, 0, false, 0, 0}};
    Snapshot snapshot{devices};
    Instant now = Instant{} + seconds(1000);
    std::optional<std::int64_t> unix_ms = 1'790'000'000'000;
    bool ready = true;
    OutboxView outbox;
    std::vector<BatteryView> batteries;
    std::vector<SinkView> sinks;
    std::vector<FaultView> faults;
    std::vector<BusView> buses;
    TimesView times;
    std::vector<Command> submitted;
    ResultCode answer = ResultCode::executed;
    std::map<std::uint64_t, KeyView> keys;  // what the table on disk remembers
    std::optional<Status> written = done;   // what the disk says of a command; absent: nothing yet
    std::function<void(const CommandId&, Status)> begun = [](const auto&, const Status&) {};
    std::optional<CommandView> recalled;
    std::array<Alert, 100> alert_ring;
    Alerts alerts{{alert_ring, {}, {}}, 7};
    HistoryQuery asked;
    /// What the history has for any question; absent: it is off.
    std::optional<std::vector<Bucket>> history =
        std::vector<Bucket>{{1'790'000'000, 2, 5, 2, 3, 3}, {1'790'000'010, 1, -7, -7, -7, -7}};
    GatewayView view;
};

inline GatewaySettings::Web guarded_web() {
    static const std::string scrypt = scrypt_text("correct horse", "0123456789abcdef");
    GatewaySettings::Web web;
    web.password_scrypt = Secret(scrypt);
    std::string digest(32, '\0');
    EVP_Digest("operator-token",
               14,
               reinterpret_cast<unsigned char*>(digest.data()),
               nullptr,
               EVP_sha256(),
               nullptr);
    web.tokens = {{Name("plant"), Role::operator_, digest}};
    return web;
}

/// The gateway behind its door.
struct Site {
    explicit Site(const GatewaySettings::Web& web) : access(web, {"gw"}) {
        api.add_routes(router);
        gateway.begun = [this](const CommandId& id, Status written) { api.begun(id, written); };
        server.greet_with([this] { return api.greeting(); });
        api.use_counters(&server.counters());
        std::string reason;
        EXPECT_TRUE(server.listen("127.0.0.1", 0, nullptr, reason)) << reason;
    }
    TestClient client() { return {io, server.port()}; }

    boost::asio::io_context io;
    FakeGateway gateway;
    Access access;
    Api api{gateway.view, access, [](const auto& job, const auto& finish) {
                job();
                finish();
                return true;
            }};
    Router router;
    Server server{io, router, access, [this] { return gateway.now; }};
};

}  // namespace jw::http
