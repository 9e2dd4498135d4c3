// SPDX-License-Identifier: Apache-2.0
#pragma once
// Faults: the trouble that lasts now. Raised once, cleared once; each change is a record.
#include <span>
#include <string_view>

#include "core/base/list.h"
#include "core/base/time.h"
#include "core/model/event.h"

namespace jw {

struct ActiveFault {
    Fault fault;
    Instant since;
    Instant until = never;  // what is over by itself is told so long
};

/// Whoever keeps the changes (the gateway: as records of class alarm).
class FaultOut {
  public:
    virtual void changed(const Fault& fault, Instant now) = 0;

  protected:
    ~FaultOut() = default;
};

class Faults {
  public:
    Faults(std::span<ActiveFault> storage, FaultOut& out) : active_(storage), out_(out) {}

    /// Raises, or does nothing where the same trouble is already known; `until` is then put off. A
    /// fault with no room is still told to FaultOut, but not listed.
    void raise(std::string_view source,
               FaultKind kind,
               Severity severity,
               std::string_view text,
               Instant now,
               Instant until = never,
               std::string_view about = {});
    /// Clears what has been told for long enough.
    void step(Instant now);
    /// Before an end: no fault outlives who watches over it.
    void clear_all(Instant now);
    void clear(std::string_view source, FaultKind kind, Instant now, std::string_view about = {});
    [[nodiscard]] bool raised(std::string_view source, FaultKind kind) const;
    [[nodiscard]] std::span<const ActiveFault> active() const { return active_.items(); }

  private:
    void remove(std::size_t index, Instant now);

    List<ActiveFault> active_;
    FaultOut& out_;
};

}  // namespace jw
