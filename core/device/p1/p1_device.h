// SPDX-License-Identifier: Apache-2.0
#pragma once
// The driver of a smart meter's P1 port: the meter talks by itself, once a second or every ten.
#include "core/codec/p1.h"
#include "core/device/device.h"

namespace jw::p1 {

/// One meter. A telegram becomes a reading when `poll` has passed since the last one; what is
/// refused is told by DeviceOut::failed() with its code. Three times the distance of two telegrams
/// without one is a timeout, told again and again as long as it lasts.
class P1Device : public Device, public Line {
  public:
    P1Device(const DeviceSettings& settings, MutableBytes buffer, DeviceOut& out);

    Status act(Quantity quantity, std::int64_t value, Instant now) override;
    Status poll_now(Instant now) override;
    Line* stream() override { return this; }

    void connected(Instant now) override;
    void disconnected(Instant now) override;
    void received(Bytes bytes, Instant now) override;
    Instant step(Instant now) override;

  private:
    void take(const Received& received, Instant now);
    void wait(Instant now);

    Receiver receiver_;
    DeviceOut& out_;
    DeviceInfo info_;
    Duration poll_;
    Duration expected_;          // distance of two telegrams
    Instant last_telegram_{-1};  // negative: none since the line was connected
    Instant last_reading_{-1};
    Instant silent_at_{-1};  // negative: before the first step
    std::int8_t sign_;
    bool identified_ = false;
};

extern const Driver driver;

}  // namespace jw::p1
