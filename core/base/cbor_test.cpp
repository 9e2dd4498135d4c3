// SPDX-License-Identifier: Apache-2.0
#include "core/base/cbor.h"

#include <array>
#include <limits>

#include "core/base/test.h"

using namespace jw;

namespace {

struct Example {
    std::uint32_t a = 0;
    std::int64_t b = 0;
    FixedText<8> c;
    std::optional<std::uint64_t> d;
    bool e = false;
    static constexpr auto fields() {
        return Fields{Field{1, "a", &Example::a},
                      Field{2, "b", &Example::b},
                      Field{3, "c", &Example::c},
                      Field{5, "d", &Example::d},
                      Field{6, "e", &Example::e}};
    }
};

}  // namespace

TEST(heads_take_the_shortest_form_as_rfc_8949_asks) {
    // Values and bytes of RFC 8949, appendix A.
    struct Row {
        std::int64_t value;
        std::size_t size;
        std::uint8_t first;
    };
    for (const Row& row : {Row{0, 1, 0x00},
                           Row{23, 1, 0x17},
                           Row{24, 2, 0x18},
                           Row{1000, 3, 0x19},
                           Row{1000000, 5, 0x1A},
                           Row{1000000000000, 9, 0x1B},
                           Row{-1, 1, 0x20},
                           Row{-1000, 3, 0x39},
                           Row{std::numeric_limits<std::int64_t>::min(), 9, 0x3B}}) {
        std::array<std::uint8_t, 9> buffer{};
        Writer out(buffer);
        cbor::put_int(out, row.value);
        EXPECT(out.size() == row.size);
        EXPECT(buffer[0] == row.first);
        Reader in(out.written());
        const auto back = cbor::take_int(in);
        EXPECT(back && *back == row.value);
    }
}

TEST(a_message_round_trips_and_leaves_absent_fields_out) {
    Example message;
    message.a = 7;
    message.b = -1520;
    message.e = true;
    std::array<std::uint8_t, 64> buffer{};
    Writer out(buffer);
    to_cbor(message, out);
    const std::array<std::uint8_t, 9> expected{
        0xA3, 0x01, 0x07, 0x02, 0x39, 0x05, 0xEF, 0x06, 0xF5};
    EXPECT(equal(out.written(), expected));
    Example back;
    Reader in(out.written());
    EXPECT(from_cbor(in, back).has_value());
    EXPECT(back.a == 7 && back.b == -1520 && back.c.empty() && !back.d && back.e);
}

TEST(unknown_fields_are_skipped_and_ids_that_do_not_rise_are_refused) {
    const std::array<std::uint8_t, 10> unknown{
        0xA2, 0x01, 0x05, 0x0A, 0x82, 0x01, 0xA1, 0x01, 0x61, 0x61};
    Example message;
    Reader in(unknown);
    EXPECT(from_cbor(in, message).has_value());
    EXPECT(message.a == 5 && in.remaining() == 0);
    const std::array<std::uint8_t, 5> falling{0xA2, 0x02, 0x01, 0x01, 0x01};
    Reader bad(falling);
    EXPECT(from_cbor(bad, message).code() == Code::malformed);
}

TEST(values_beyond_their_field_long_heads_and_depth_are_refused) {
    Example message;
    const std::array<std::uint8_t, 11> wide{0xA1, 0x01, 0x1B, 0, 0, 0, 1, 0, 0, 0, 0};
    Reader in_wide(wide);
    EXPECT(from_cbor(in_wide, message).code() == Code::out_of_range);
    const std::array<std::uint8_t, 4> not_shortest{0xA1, 0x01, 0x18, 0x05};
    Reader in_long(not_shortest);
    EXPECT(from_cbor(in_long, message).code() == Code::malformed);
    const std::array<std::uint8_t, 8> deep{0xA1, 0x0B, 0x81, 0x81, 0x81, 0x81, 0x81, 0x01};
    Reader in_deep(deep);
    EXPECT(from_cbor(in_deep, message).code() == Code::unsupported);
    const std::array<std::uint8_t, 6> huge{0xA1, 0x0B, 0x9A, 0xFF, 0xFF, 0xFF};
    Reader in_huge(huge);
    EXPECT(from_cbor(in_huge, message).code() == Code::truncated);
}

TEST(every_truncation_of_a_message_is_called_truncated) {
    Example message;
    message.a = 100000;
    message.c = "name";
    message.d = 1ULL << 40;
    std::array<std::uint8_t, 64> buffer{};
    Writer out(buffer);
    to_cbor(message, out);
    for (std::size_t size = 0; size < out.size(); ++size) {
        Example back;
        Reader in(out.written().first(size));
        EXPECT(from_cbor(in, back).code() == Code::truncated);
    }
}
