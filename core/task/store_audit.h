// SPDX-License-Identifier: Apache-2.0
#pragma once
// Store audit: what must hold between the numbers of a store, whatever disk and network do. A
// breach is a mistake of ours; the gateway tells it and stops rather than go on counting wrongly.
#include <array>
#include <cstdint>

#include "core/outbox/outbox.h"

namespace jw {

/// The numbers of a store at one instant.
struct StoreNumbers {
    struct Class {
        std::uint64_t appended = 0;
        std::uint64_t accepted = 0;
        std::uint64_t released = 0;
        std::uint64_t taken = 0;    // records that append() took since the start
        std::uint64_t refused = 0;  // and those it did not
        std::array<std::uint64_t, limits::sinks_max> confirmed{};
        std::array<std::uint64_t, limits::sinks_max> durable{};
    };
    std::uint64_t epoch = 0;
    std::array<Class, record_classes> classes{};
};

StoreNumbers numbers_of(const Outbox& outbox);

/// The first sentence that does not hold, with its number in ARCHITECTURE.md ("Invariants"); null
/// where all hold.
const char* first_breach(const StoreNumbers& before, const StoreNumbers& now);

}  // namespace jw
