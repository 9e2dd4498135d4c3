// SPDX-License-Identifier: Apache-2.0
// Golden P1 telegrams: each gives exactly the values, or the refusal, that its vector says.
#include <gtest/gtest.h>

#include "core/codec/p1.h"
#include "core/device/p1/p1_reading.h"
#include "tests/golden/vectors.h"

namespace {

using namespace jw;

/// "out CRC name=value …" or "error code at=N".
std::string line_of(const p1::Received& received) {
    if (received.code != Code::ok) {
        return std::string("error ") + code_name(received.code) +
               " at=" + std::to_string(received.at);
    }
    Values values;
    if (!p1::read_values(received.telegram, 1, values)) {
        p1::Rows rows(received.telegram);
        while (rows.next()) {
        }
        return "error malformed at=" + std::to_string(rows.position());
    }
    std::string line = received.checked ? "out checked" : "out unchecked";
    for (const Value& value : values) {
        std::array<char, 64> room{};
        Text name(room);
        put_name(value.quantity, value.index, name);
        line += " " + std::string(name.view()) + "=" + std::to_string(value.number);
    }
    return line;
}

TEST(golden, p1_telegrams_give_what_their_vectors_say) {
    for (const golden::Case& vector : golden::cases("p1")) {
        std::vector<std::uint8_t> buffer(4096);
        p1::Receiver receiver(buffer);
        std::vector<std::string> lines;
        for (const std::uint8_t byte : vector.in) {
            if (const auto ended = receiver.put(byte)) {
                lines.push_back(line_of(*ended));
            }
        }
        if (const auto cut = receiver.finish()) {
            lines.push_back(line_of(*cut));
        }
        EXPECT_EQ(lines, vector.expected) << vector.place;
    }
}

}  // namespace
