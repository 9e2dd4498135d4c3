// SPDX-License-Identifier: Apache-2.0
// A CAN bus as subcommands reach it.
#include "apps/joulectl/can_port.h"

#include <cstdio>

namespace joulectl {

using namespace jw;

namespace {

constexpr Duration patience = seconds(5);

std::string file_name(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace

CanPort::CanPort(Loop& loop,
                 const CanTrafficOptions& options,
                 std::function<void(const CanFrame& frame)> heard)
    : loop_(loop), heard_(std::move(heard)), name_(file_name(options.device)) {
    CanLineSettings settings;
    settings.bitrate = options.bitrate;
    settings.wait_max = patience;
    if (options.device.find('/') == std::string::npos) {
        CanBusSettings interface;
        interface.name = options.device;
        interface.device = options.device;
        interface_ = std::make_unique<CanBus>(loop, interface);
        line_ = std::make_unique<CanLine>(
            *interface_, settings, static_cast<CanClient&>(*this), waiting_);
        interface_->start(*line_);
    } else {
        SerialBusSettings adapter;
        adapter.name = name_;
        adapter.device = options.device;
        adapter.baud = options.baud;
        adapter_ = std::make_unique<SerialBus>(loop, adapter);
        settings.framing = CanFraming::slcan;
        line_ = std::make_unique<CanLine>(
            *adapter_, settings, static_cast<CanClient&>(*this), waiting_);
        adapter_->start(*line_);
    }
    loop.use_step([this](Instant now) { return line_->step(now); });
}

bool CanPort::is_open() const {
    return interface_ ? interface_->state().connected : line_->counters().openings > 0;
}

const std::string& CanPort::trouble() const {
    return interface_ ? interface_->state().trouble : adapter_->state().trouble;
}

void CanPort::wait_open() {
    if (!loop_.run_until([this] { return is_open() || !trouble().empty(); }, patience) ||
        !is_open()) {
        throw Failure("can: " + (trouble().empty() ? name_ + ": the adapter refuses to open; does "
                                                             "it know this --bitrate?"
                                                   : trouble()));
    }
}

void CanPort::send(const CanFrame& frame) {
    const std::uint32_t dropped = line_->counters().dropped;
    line_->send(frame, Loop::now());
    loop_.ask_step();
    // One after the other: the line would let a newer frame take the place of an older one.
    (void)loop_.run_until([this] { return line_->waiting() == 0; }, patience + seconds(1));
    if (line_->counters().dropped != dropped) {
        throw Failure("can: " + (trouble().empty() ? name_ + " took no frame for five seconds: is "
                                                             "anybody else on the bus?"
                                                   : trouble()));
    }
}

void CanPort::received(const CanFrame& frame, Instant /*now*/) {
    if (heard_) {
        heard_(frame);
    }
}

// No id is ours here.
void CanPort::rivalled(const CanFrame& /*frame*/, Instant /*now*/) {}

void CanPort::bus_changed(std::optional<CanBusState> state, Instant /*now*/) {
    if (state && *state != CanBusState::active) {
        std::fprintf(stderr,
                     "joulectl: the controller of %s is %s\n",
                     name_.c_str(),
                     *state == CanBusState::off ? "off the bus" : "passive after many errors");
    }
}

}  // namespace joulectl
