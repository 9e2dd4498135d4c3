// SPDX-License-Identifier: Apache-2.0
// Fuzzes the lines of CAN logs: any bytes, no crash, errors say where inside the line, and what is
// accepted reads the same after being written.
#include <array>
#include <cstdlib>

#include "core/codec/candump.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jw;
    const auto read = candump::read_line(as_text(Bytes(data, size)));
    if (read.code != Code::ok && (read.at > size || *read.wrong == 0 || read.logged)) {
        std::abort();
    }
    if (!read.logged) {
        return 0;
    }
    std::array<char, candump::line_max> room{};
    Text text(room);
    candump::put_line(*read.logged, text);
    const auto again = candump::read_line(text.view());
    if (!text.ok() || !again.logged || again.logged->frame != read.logged->frame ||
        again.logged->time_us != read.logged->time_us.value_or(0)) {
        std::abort();
    }
    return 0;
}
