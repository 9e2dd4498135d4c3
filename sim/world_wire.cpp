// SPDX-License-Identifier: Apache-2.0
// Connections that break, and meters that answer badly.
#include "sim/world_wire.h"

#include "sim/demo_meter.h"
#include "sim/world_gateway.h"

namespace jw::sim {

WorldWire::WorldWire(WorldStage& stage,
                     WorldChecker& checker,
                     std::size_t index,
                     std::size_t first,
                     std::size_t meters)
    : stage_(stage),
      index_(index),
      first_(first),
      framing_(static_cast<ModbusFraming>(stage.random.below(3))) {
    for (std::size_t i = 0; i < meters; ++i) {
        DemoMeterSettings settings;
        settings.seed = stage.random.next();
        settings.unit = static_cast<std::uint8_t>(i + 1);
        settings.serial = static_cast<std::uint32_t>(1000 + first + i);
        units_.push_back(demo_meter(settings));
        units_.back().refuse = [&checker, unit = first + i](const modbus::Request& request) {
            checker.written(unit, !request.data.empty() && request.data[0] != 0);
            return modbus::Exception::none;
        };
    }
    stage_.after(seconds(1), [this] { live(); });
}

Status WorldWire::send(Bytes bytes) {
    if (!server_) {
        return JW_FAIL(not_found);
    }
    stage_.trace.add(bytes);
    server_->received(bytes, stage_.now);
    return done;
}

void WorldWire::attach(WorldGateway* gateway) {
    gateway_ = gateway;
    server_.reset();
    ++attached_;
    if (gateway_ != nullptr) {
        connect();
    }
}

void WorldWire::connect() {
    if (gateway_ == nullptr || server_) {
        return;
    }
    server_.emplace(framing_, units_, stage_.random.next());
    server_->faults = faults_;
    gateway_->line_connected(index_);
}

void WorldWire::disconnect() {
    if (gateway_ == nullptr || !server_) {
        return;
    }
    ++breaks_;
    server_.reset();
    gateway_->line_disconnected(index_);
    const bool soon = stage_.healing || !stage_.random.one_in(4);
    stage_.after(stage_.between(milliseconds(100), soon ? seconds(5) : seconds(300)),
                 [this] { connect(); });
}

void WorldWire::live() {
    choose_faults();
    if (stage_.on(WorldFault::line_break) && stage_.random.one_in(3)) {
        disconnect();
    } else if (stage_.healing) {
        connect();
    }
    stage_.after(stage_.between(seconds(5), seconds(120)), [this] { live(); });
}

void WorldWire::choose_faults() {
    const auto percent = [&](WorldFault fault) {
        const bool on = stage_.on(fault) && stage_.random.one_in(2);
        return on ? 1 + static_cast<unsigned>(stage_.random.below(30)) : 0;
    };
    const Instant asleep_to = stage_.healing ? stage_.now : faults_.asleep_to;
    const Instant asleep_from = faults_.asleep_from;
    faults_ = {};
    faults_.asleep_from = asleep_from;
    faults_.asleep_to = asleep_to;
    faults_.drop_percent = percent(WorldFault::drop);
    faults_.wrong_id_percent = percent(WorldFault::wrong_id);
    faults_.half_frame_percent = percent(WorldFault::half_frame);
    faults_.garbage_percent = percent(WorldFault::garbage);
    faults_.exception_percent = percent(WorldFault::exception);
    constexpr std::array exceptions{modbus::Exception::device_failure,
                                    modbus::Exception::device_busy,
                                    modbus::Exception::illegal_address};
    faults_.exception = exceptions[stage_.random.below(exceptions.size())];
    faults_.delay = stage_.on(WorldFault::delay)
                        ? stage_.between(milliseconds(1), milliseconds(1500))
                        : stage_.between(milliseconds(1), milliseconds(20));
    if (stage_.on(WorldFault::sleep) && stage_.random.one_in(4)) {
        faults_.asleep_from = stage_.now;
        faults_.asleep_to = stage_.now + stage_.between(seconds(1), seconds(400));
    }
    if (server_) {
        server_->faults = faults_;
    }
}

void WorldWire::deliver() {
    if (gateway_ == nullptr || next() > stage_.now) {
        return;
    }
    bytes_.clear();
    server_->take(stage_.now, bytes_);
    stage_.trace.add(Bytes(bytes_));
    gateway_->line_received(index_, bytes_);
}

}  // namespace jw::sim
