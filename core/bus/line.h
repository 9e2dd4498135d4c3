// SPDX-License-Identifier: Apache-2.0
#pragma once
// Line: one wire and the rules of who may talk on it when. Bytes and `now` go in, bytes and the
// next deadline come out.
#include "core/base/bytes.h"
#include "core/base/time.h"

namespace jw {

/// Driven by the one loop; implemented by ModbusLine (question and answer) and StreamLine (a device
/// that talks by itself).
class Line {
  public:
    /// The connection stands (TCP) or the port is open (serial).
    virtual void connected(Instant now) = 0;
    /// It is gone; whatever waited for an answer is told so.
    virtual void disconnected(Instant now) = 0;
    virtual void received(Bytes bytes, Instant now) = 0;
    /// Sends what is due and ends waits that are over. Returns when it wants to be called again.
    virtual Instant step(Instant now) = 0;

  protected:
    ~Line() = default;
};

}  // namespace jw
