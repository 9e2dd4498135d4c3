// SPDX-License-Identifier: Apache-2.0
// Fuzzes what an slcan adapter writes: any bytes, no crash, the same in one piece and byte by byte,
// and a frame that is read reads the same after being written.
#include <array>
#include <cstdlib>

#include "core/bus/slcan.h"

using namespace jw;

namespace {

bool same(const Result<slcan::Message>& a, const Result<slcan::Message>& b) {
    return a.code() == b.code() && (!a || (a->kind == b->kind && a->frame == b->frame));
}

bool survives_writing(const CanFrame& frame) {
    std::array<std::uint8_t, slcan::line_max> room{};
    Writer out(room);
    slcan::put_frame(frame, out);
    slcan::Receiver receiver;
    Bytes written = out.written();
    const auto again = receiver.take(written);
    return out.ok() && again && *again && (*again)->frame == frame;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    slcan::Receiver whole;
    slcan::Receiver single;
    Bytes rest(data, size);
    Bytes bytes = rest;
    while (const auto message = whole.take(rest)) {
        std::optional<Result<slcan::Message>> other;
        while (!other && !bytes.empty()) {
            Bytes byte = bytes.first(1);
            other = single.take(byte);
            bytes = bytes.subspan(1 - byte.size());
        }
        if (!other || !same(*message, *other) ||
            (*message && (*message)->kind == slcan::Kind::frame &&
             !survives_writing((*message)->frame))) {
            std::abort();
        }
    }
    return 0;
}
