// SPDX-License-Identifier: Apache-2.0
// The gateway's part in a command: which device, quantity or parameter it means, and what is
// written down of it.
#include <array>

#include "core/task/gateway.h"

namespace jw {
namespace {

ResultCode code_of(const Status& started) {
    switch (started.code()) {
        case Code::ok:
            return ResultCode::executed;
        case Code::out_of_range:
            return ResultCode::out_of_range;
        case Code::busy:
            return ResultCode::busy;
        case Code::denied:
            return ResultCode::denied;
        default:
            return ResultCode::unsupported;
    }
}

/// What a command sets: a quantity of the driver, or else one of the device's own parameters.
const Capability* settable(const Driver& driver, std::string_view name) {
    Quantity quantity = Quantity::none;
    std::uint8_t index = 0;
    if (!parse_name(name, quantity, index)) {
        return nullptr;
    }
    for (const Capability& capability : driver.capabilities) {
        if (capability.settable && capability.quantity == quantity && capability.index == index) {
            return &capability;
        }
    }
    return nullptr;
}

std::optional<Parameter> writable(const Device& device, std::string_view name) {
    for (std::size_t i = 0; i < device.parameter_count(); ++i) {
        const Parameter parameter = device.parameter(i);
        if (parameter.writable && name == parameter.name) {
            return parameter;
        }
    }
    return std::nullopt;
}

}  // namespace

ResultCode Gateway::check(const Command& command) {
    const Port* port = find(command.target.view());
    if (port == nullptr) {
        return ResultCode::unknown_target;
    }
    if (command.action == Action::read) {
        return ResultCode::executed;
    }
    const auto judged = [&command](std::int64_t least, std::int64_t most) {
        const bool fits = command.value >= least && command.value <= most;
        return fits ? ResultCode::executed : ResultCode::out_of_range;
    };
    if (const Capability* capability = settable(*port->driver, command.quantity.view())) {
        return judged(capability->least, capability->most);
    }
    if (const auto parameter = writable(*port->device, command.quantity.view())) {
        return judged(parameter->least, parameter->most);
    }
    return ResultCode::unsupported;
}

ResultCode Gateway::act(const Command& command, Instant now) {
    Port* port = find(command.target.view());
    if (port == nullptr) {
        return ResultCode::unknown_target;
    }
    queue_.wake(Priority::line, now);  // its line may not look before the next poll
    port->writes = false;
    if (command.action == Action::read) {
        const Status started = port->device->poll_now(now);
        if (started) {
            port->acted(ResultCode::executed, std::nullopt, now);
        }
        return code_of(started);
    }
    if (const Capability* capability = settable(*port->driver, command.quantity.view())) {
        return code_of(port->device->act(capability->quantity, command.value, now));
    }
    const auto parameter = writable(*port->device, command.quantity.view());
    if (!parameter) {
        return ResultCode::unsupported;
    }
    port->writes = true;
    port->wrote_over = parameter->value;
    return code_of(port->device->write_parameter(command.quantity.view(), command.value, now));
}

void Gateway::Port::acted(ResultCode code, std::optional<std::int64_t> value, Instant now) {
    const Command* command = gateway->commands_.acting(settings.name.view());
    if (writes && code == ResultCode::executed && command != nullptr) {
        std::array<char, limits::detail_size_max> buffer{};
        Text text(buffer);
        text.put(command->issuer.empty() ? "local" : command->issuer.view());
        text.put(" set ").put(command->quantity.view());
        const std::size_t named = text.size();
        if (wrote_over) {
            text.put(" from ").put(*wrote_over);
        }
        text.put(" to ").put(command->value).put('.');
        if (!text.ok()) {
            text.rewind(named);  // the result has the value
        }
        gateway->tell_of(*this, text.view(), now);
    }
    writes = false;
    gateway->commands_.acted(settings.name.view(), code, value, now);
}

}  // namespace jw
