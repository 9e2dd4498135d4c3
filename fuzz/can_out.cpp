// SPDX-License-Identifier: Apache-2.0
// Fuzzes the frames of every profile: any id and data, no crash, and what a frame says encodes to a
// frame that says the same.
#include <algorithm>
#include <cstdlib>

#include "core/sink/can_out/profiles.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jw;
    Reader in(Bytes(data, size));
    CanFrame can;
    can.id = in.u16_be();
    const Bytes bytes = in.take(std::min<std::size_t>(in.remaining(), can.data.size()));
    if (!in.ok()) {
        return 0;
    }
    can.size = static_cast<std::uint8_t>(bytes.size());
    std::copy(bytes.begin(), bytes.end(), can.data.begin());
    for (const can_out::Profile& profile : can_out::profiles) {
        const can_out::Frame* frame = find(profile, can.id);
        can_out::BatteryState state;
        if (frame == nullptr || !decode(*frame, can, state)) {
            continue;
        }
        const auto encoded = encode(*frame, state);
        if (!encoded) {
            continue;  // a charge voltage of 0, a text of the second half only
        }
        // Saturation and rounding may change the state once, but not twice.
        can_out::BatteryState first;
        can_out::BatteryState second;
        if (!decode(*frame, *encoded, first)) {
            std::abort();
        }
        const auto again = encode(*frame, first);
        if (!again || !decode(*frame, *again, second) || first != second) {
            std::abort();
        }
    }
    return 0;
}
