// SPDX-License-Identifier: Apache-2.0
// Fuzzes the P1 driver's way from bytes to values: any bytes, no crash, no overrun, and what one
// pass of the rows accepts the other accepts too.
#include <array>
#include <cstdlib>

#include "core/codec/p1.h"
#include "core/device/p1/p1_reading.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace jw;
    std::array<std::uint8_t, 2048> buffer{};
    p1::Receiver receiver(buffer);
    for (const std::uint8_t byte : Bytes(data, size)) {
        const auto ended = receiver.put(byte);
        if (!ended) {
            continue;
        }
        if (ended->telegram.size() > buffer.size() || ended->telegram[0] != '/') {
            std::abort();
        }
        Values values;
        const bool accepted = p1::read_values(ended->telegram, 1, values).has_value();
        p1::Rows rows(ended->telegram);
        while (const auto row = rows.next()) {
            for (std::size_t i = 0; i < row->count(); ++i) {
                (void)p1::parse_timestamp(row->group(i));
            }
        }
        for (const Value& value : values) {
            if (!possible(value.number)) {
                std::abort();
            }
        }
        if (accepted != (rows.code() == Code::ok)) {
            std::abort();
        }
        (void)p1::describe(ended->telegram);
    }
    (void)receiver.finish();
    return 0;
}
