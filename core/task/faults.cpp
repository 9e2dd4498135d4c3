// SPDX-License-Identifier: Apache-2.0
#include "core/task/faults.h"

namespace jw {

void Faults::raise(std::string_view source,
                   FaultKind kind,
                   Severity severity,
                   std::string_view text,
                   Instant now) {
    if (raised(source, kind)) {
        return;
    }
    const Fault fault{source, kind, severity, true, text};
    (void)active_.push({fault, now});
    out_.changed(fault, now);
}

void Faults::clear(std::string_view source, FaultKind kind, Instant now) {
    for (std::size_t i = 0; i < active_.size(); ++i) {
        if (active_[i].fault.source == source && active_[i].fault.kind == kind) {
            Fault fault = active_[i].fault;
            fault.raised = false;
            active_.remove(i);
            out_.changed(fault, now);
            return;
        }
    }
}

bool Faults::raised(std::string_view source, FaultKind kind) const {
    for (const ActiveFault& active : active_) {
        if (active.fault.source == source && active.fault.kind == kind) {
            return true;
        }
    }
    return false;
}

}  // namespace jw
