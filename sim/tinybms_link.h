// SPDX-License-Identifier: Apache-2.0
#pragma once
// A wire between the driver of a TinyBMS and a simulated one, in simulated time, and a record of
// what the driver tells.
#include <map>
#include <string>
#include <vector>

#include "core/base/check.h"
#include "core/base/ports.h"
#include "core/device/tinybms/tinybms.h"
#include "sim/tinybms.h"

namespace jw::sim {

/// What the driver told; of readings the instants and the last one.
struct TinybmsTold final : DeviceOut {
    void reading(const Reading& told, Instant now) override {
        last = told;
        at.push_back(now);
        for (const Value& value : told.values) {
            seen[{value.quantity, value.index}] = value.number;
        }
    }
    void identified(const DeviceInfo& told, Instant /*now*/) override {
        info = told;
        ++identities;
    }
    void failed(Error told, Instant now) override { failures.emplace_back(told.code, now); }
    void acted(ResultCode told, std::optional<std::int64_t> told_value, Instant /*now*/) override {
        code = told;
        value = told_value;
        ++acts;
    }
    void event(std::string_view told, Instant /*now*/) override { events.emplace_back(told); }

    [[nodiscard]] std::optional<std::int64_t> number(Quantity quantity,
                                                     std::uint8_t index = 0) const {
        const Value* const found = last.values.find(quantity, index);
        return found == nullptr ? std::nullopt : std::optional(found->number);
    }

    Reading last;
    std::map<std::pair<Quantity, std::uint8_t>, std::int64_t> seen;  // newest of each
    std::vector<Instant> at;
    DeviceInfo info;
    int identities = 0;
    std::vector<std::pair<Code, Instant>> failures;
    std::vector<std::string> events;
    ResultCode code = ResultCode::malformed;
    std::optional<std::int64_t> value;
    int acts = 0;
};

/// One question on the wire.
struct TinybmsAsked {
    Instant at;
    tinybms::Command command;
    std::uint16_t address;
    std::uint16_t count;
};

class TinybmsLink : public Bus {
  public:
    explicit TinybmsLink(TinybmsScene scene,
                         const DeviceSettings& settings = settings_of(milliseconds(250)),
                         std::uint64_t seed = 7)
        : bms(scene, seed), device(settings, told) {
        device.use_bus(*this);
        device.connected(now);
    }
    static DeviceSettings settings_of(Duration poll) {
        DeviceSettings settings;
        settings.name = "pack-1";
        settings.poll = poll;
        return settings;
    }

    Status send(Bytes bytes) override {
        if (const auto taken = tinybms::take(bytes, tinybms::Side::request)) {
            asked.push_back(
                {now, taken->message.command, taken->message.address, taken->message.count});
        } else {
            ++unreadable;
        }
        if (!unplugged) {
            bms.received(bytes, now);
        }
        return done;
    }

    /// Lets both talk for so long. What the BMS sends arrives in pieces of `piece` bytes.
    void run(Duration duration) {
        const Instant end = now + duration;
        while (now <= end) {
            std::vector<std::uint8_t> bytes;
            bms.take(now, bytes);
            for (Bytes rest = bytes; !rest.empty() && !unplugged;) {
                const std::size_t size = std::min(piece, rest.size());
                device.received(rest.first(size), now);
                rest = rest.subspan(size);
            }
            const Instant next = device.step(now);
            CHECK(now < next);  // else it spins
            now = earlier(next, later(bms.next(), now + microseconds(1)));
        }
        now = end;
    }
    /// Runs until a write has ended, or for a while.
    void run_until_acted() {
        const int before = told.acts;
        for (int i = 0; i < 400 && told.acts == before; ++i) {
            run(milliseconds(50));
        }
    }
    [[nodiscard]] std::optional<Parameter> parameter(std::string_view name) const {
        for (std::size_t i = 0; i < device.parameter_count(); ++i) {
            if (name == device.parameter(i).name) {
                return device.parameter(i);
            }
        }
        return std::nullopt;
    }

    Tinybms bms;
    TinybmsTold told;
    tinybms::TinyBms device;
    Instant now{1'000'000};
    std::vector<TinybmsAsked> asked;
    int unreadable = 0;
    bool unplugged = false;
    std::size_t piece = 1000;
};

}  // namespace jw::sim
