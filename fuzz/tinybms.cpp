// SPDX-License-Identifier: Apache-2.0
// Any bytes as both sides of a TinyBMS line: nothing but frames and dropped bytes comes out, in
// whatever pieces they arrive, and each frame that is taken is written again byte by byte.
#include <algorithm>

#include "core/base/check.h"
#include "core/device/tinybms/frames.h"

using namespace jw;

namespace {

void play(tinybms::Side side, Bytes bytes, std::size_t piece) {
    tinybms::Receiver receiver(side);
    std::size_t accounted = 0;
    const auto drain = [&] {
        while (const auto message = receiver.next()) {
            std::array<std::uint8_t, tinybms::frame_size_max> again{};
            Writer out(again);
            CHECK(tinybms::put(out, *message).has_value());
            const auto same = tinybms::take(out.written(), side);
            CHECK(same && same->size == out.size() && equal(same->message.data, message->data));
            (void)message->number();
            accounted += out.size();
        }
    };
    Bytes rest = bytes;
    while (!rest.empty()) {
        const std::size_t taken = receiver.put(rest.first(std::min(piece, rest.size())));
        CHECK(taken > 0);
        rest = rest.subspan(taken);
        drain();
    }
    receiver.silent();
    drain();
    CHECK(accounted + receiver.dropped() == bytes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::size_t piece = size > 0 ? 1 + data[0] % 64 : 1;
    play(tinybms::Side::request, Bytes(data, size), piece);
    play(tinybms::Side::reply, Bytes(data, size), piece);
    return 0;
}
