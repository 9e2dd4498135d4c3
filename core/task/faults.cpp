// SPDX-License-Identifier: Apache-2.0
#include "core/task/faults.h"

namespace jw {

void Faults::raise(std::string_view source,
                   FaultKind kind,
                   Severity severity,
                   std::string_view text,
                   Instant now,
                   Instant until,
                   std::string_view about) {
    const Fault fault{source, kind, severity, true, text, about};
    for (ActiveFault& active : active_) {
        if (is_same(active.fault, fault)) {
            active.until = until;
            return;
        }
    }
    (void)active_.push({fault, now, until});
    out_.changed(fault, now);
}

void Faults::clear(std::string_view source, FaultKind kind, Instant now, std::string_view about) {
    for (std::size_t i = 0; i < active_.size(); ++i) {
        const Fault& fault = active_[i].fault;
        if (fault.source == source && fault.kind == kind && fault.about == about) {
            remove(i, now);
            return;
        }
    }
}

void Faults::step(Instant now) {
    for (std::size_t i = active_.size(); i > 0; --i) {
        if (active_[i - 1].until <= now) {
            remove(i - 1, now);
        }
    }
}

void Faults::clear_all(Instant now) {
    while (!active_.empty()) {
        remove(active_.size() - 1, now);
    }
}

void Faults::remove(std::size_t index, Instant now) {
    Fault fault = active_[index].fault;
    fault.raised = false;
    active_.remove(index);
    out_.changed(fault, now);
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
