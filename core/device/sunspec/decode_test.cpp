// SPDX-License-Identifier: Apache-2.0
// SunSpec images by themselves: models, modules, every type of point, and images that are wrong.
#include "core/device/sunspec/decode.h"

#include <array>
#include <cstring>

#include "core/base/test.h"

using namespace jw;
using namespace jw::sunspec;

namespace {

/// Remembers what it is told of one point.
struct Found final : DecodeOut {
    Found(std::uint16_t wanted_model,
          std::string_view wanted_point,
          std::uint16_t wanted_module = 0)
        : model_id(wanted_model), name(wanted_point), module_number(wanted_module) {}
    void model(std::uint16_t id,
               std::uint32_t address,
               std::uint16_t /*length*/,
               const Model* known) override {
        ++models;
        unknown += known == nullptr;
        now = id;
        last_address = address;
    }
    void point(const Point& point, std::uint16_t module, const PointValue& told) override {
        ++points;
        if (now == model_id && name == point.name && module == module_number) {
            value = told;
            quantity = quantity_of(point, told);
        }
    }
    std::uint16_t model_id;
    std::string_view name;
    std::uint16_t module_number;
    std::uint16_t now = 0;
    std::uint32_t last_address = 0;
    int models = 0;
    int unknown = 0;
    int points = 0;
    PointValue value;
    std::optional<std::int64_t> quantity;
};

/// An image: the marker, model 1, then what is put.
struct Image {
    std::array<std::uint8_t, 1024> buffer{};
    Writer out{buffer};

    Image() {
        out.u32_be(marker);
        begin(1, 66);
        text("ACME", 66);
    }
    void begin(std::uint16_t id, std::uint16_t length) { out.u16_be(id).u16_be(length); }
    void text(std::string_view characters, unsigned registers) {
        out.put(characters);
        for (std::size_t i = characters.size(); i < 2U * registers; ++i) {
            out.u8(0);
        }
    }
    void words(std::initializer_list<unsigned> values) {
        for (const unsigned value : values) {
            out.u16_be(static_cast<std::uint16_t>(value));
        }
    }
    void fill(unsigned count, std::uint16_t word = 0xFFFF) {
        for (unsigned i = 0; i < count; ++i) {
            out.u16_be(word);
        }
    }
    Bytes end() { return out.u16_be(end_of_chain).u16_be(0).written(); }
};

/// A point of that type behind its scale factor. A text stands until the next call.
PointValue value_of(Type type, std::uint8_t size, std::uint64_t raw, std::uint16_t scale = 0) {
    static std::array<std::uint8_t, 12> buffer{};
    Writer out{buffer};
    out.u16_be(0).u16_be(scale);
    for (unsigned i = 0; i < size; ++i) {
        out.u16_be(static_cast<std::uint16_t>(raw >> (16 * (size - 1 - i))));
    }
    Point point;
    point.type = type;
    point.size = size;
    point.offset = 2;
    point.scale = 1;
    const Window window{out.written(), 0};
    return sunspec::value_of(point, 2, window, window);
}

bool is(const PointValue& value, std::int64_t number) {
    return value.kind == PointValue::Kind::number && value.number == number;
}
bool absent(const PointValue& value) {
    return value.kind == PointValue::Kind::absent;
}

}  // namespace

TEST(every_type_has_its_numbers_and_its_mark_for_nothing) {
    EXPECT(is(value_of(Type::int16, 1, 0xFFFE), -2) && absent(value_of(Type::int16, 1, 0x8000)));
    EXPECT(is(value_of(Type::uint16, 1, 0xFFFE), 65'534) &&
           absent(value_of(Type::uint16, 1, 0xFFFF)));
    EXPECT(is(value_of(Type::enum16, 1, 4), 4) && absent(value_of(Type::enum16, 1, 0xFFFF)));
    EXPECT(is(value_of(Type::count, 1, 2), 2) && absent(value_of(Type::count, 1, 0xFFFF)));
    EXPECT(is(value_of(Type::bitfield16, 1, 7), 7) &&
           absent(value_of(Type::bitfield16, 1, 0x8001)));
    EXPECT(is(value_of(Type::int32, 2, 0xFFFF'FFFE), -2) &&
           absent(value_of(Type::int32, 2, 0x8000'0000)));
    EXPECT(is(value_of(Type::uint32, 2, 0xFFFF'FFFE), 4'294'967'294) &&
           absent(value_of(Type::uint32, 2, 0xFFFF'FFFF)));
    EXPECT(is(value_of(Type::bitfield32, 2, 0x8000'0000), 0x8000'0000) &&
           absent(value_of(Type::bitfield32, 2, 0xFFFF'FFFF)));
    EXPECT(is(value_of(Type::uint64, 4, 150'000'000'000), 150'000'000'000) &&
           absent(value_of(Type::uint64, 4, UINT64_MAX)));
    EXPECT(value_of(Type::float32, 2, 0x4247'EB85).float_bits == 0x4247'EB85);
    EXPECT(absent(value_of(Type::float32, 2, 0x7FC0'0000)));
    EXPECT(as_text(value_of(Type::string, 2, 0x5350'4100).text) == "SPA");
    EXPECT(absent(value_of(Type::string, 2, 0x0050'4100)));
}

TEST(an_accumulator_of_zero_is_new_or_not_there_as_its_scale_tells) {
    EXPECT(is(value_of(Type::acc32, 2, 0, 0), 0));
    EXPECT(absent(value_of(Type::acc32, 2, 0, 0x8000)));
    EXPECT(is(value_of(Type::acc32, 2, 5, 0x8000), 5));
}

TEST(a_scale_that_makes_no_sense_makes_the_value_absent) {
    EXPECT(value_of(Type::int16, 1, 5, 0xFFFE).exponent == -2);
    EXPECT(value_of(Type::int16, 1, 5, 10).exponent == 10);
    EXPECT(absent(value_of(Type::int16, 1, 5, 11)));
    EXPECT(absent(value_of(Type::int16, 1, 5, 0xFFF5)));
    const std::array<std::uint8_t, 2> one{0, 5};
    Point point;
    point.type = Type::int16;
    point.size = 1;
    point.scale = 9;
    EXPECT(absent(sunspec::value_of(point, 0, {one, 0}, {one, 0})));
    EXPECT(absent(sunspec::value_of(point, 1, {one, 0}, {one, 9})));
    EXPECT(!absent(sunspec::value_of(point, 0, {one, 0}, {one, 9})));
}

TEST(models_are_walked_and_unknown_ones_skipped) {
    Image image;
    image.begin(64'999, 3);
    image.fill(3);
    image.begin(802, 62);
    image.fill(62);
    Found found(1, "Mn");
    EXPECT(decode(image.end(), 40'000, found).has_value());
    EXPECT(found.models == 3 && found.unknown == 1);
    EXPECT(as_text(found.value.text) == "ACME");
    EXPECT(!found.quantity);
    EXPECT(found.last_address == 40'000 + 2 + 68 + 5);
}

TEST(modules_are_counted_by_their_point_or_by_the_length) {
    Image image;
    image.begin(160, 8 + 2 * 20);
    image.words({0xFFFE, 0xFFFE, 0xFFFF, 0, 0, 0, 2, 0});
    image.fill(20);
    image.fill(11, 0);
    image.words({2993});
    image.fill(8);
    // Room for two ports, of which the device has one.
    image.begin(714, 18 + 2 * 25);
    image.words({0, 0, 1});
    image.fill(15);
    image.fill(50);
    const Bytes bytes = image.end();
    Found power(160, "DCW", 2);
    EXPECT(decode(bytes, 0, power).has_value());
    EXPECT(is(power.value, 2993) && power.value.exponent == -1);
    EXPECT(power.quantity == 299);
    Found second(714, "PrtTyp", 2);
    EXPECT(decode(bytes, 0, second).has_value());
    EXPECT(second.points == 6 + 3 + 2 * 10 + 6 + 11);
}

TEST(a_model_that_is_too_short_has_no_more_than_it_holds) {
    Image image;
    image.begin(103, 13);
    image.fill(12, 7);
    image.words({0});
    image.begin(160, 2);
    image.fill(2);
    Found power(103, "W");
    EXPECT(decode(image.end(), 0, power).has_value());
    EXPECT(absent(power.value));
}

TEST(images_that_are_wrong_are_refused) {
    Found found(1, "Mn");
    const std::array<std::uint8_t, 6> other{0x53, 0x75, 0x6E, 0x54, 0, 1};
    EXPECT(decode(other, 0, found).code() == Code::not_found);
    EXPECT(decode({}, 0, found).code() == Code::not_found);
    const std::array<std::uint8_t, 8> first_103{0x53, 0x75, 0x6E, 0x53, 0, 103, 0, 0};
    EXPECT(decode(first_103, 0, found).code() == Code::malformed);
    const Image whole;
    EXPECT(decode(whole.out.written(), 0, found).code() == Code::truncated);
    EXPECT(decode(whole.out.written().first(100), 0, found).code() == Code::truncated);
    Image endless;
    for (int i = 0; i < 70; ++i) {
        endless.begin(64'999, 0);
    }
    EXPECT(decode(endless.end(), 0, found).code() == Code::malformed);
}

TEST(a_chain_may_end_with_zero) {
    Image image;
    image.words({0});
    Found found(1, "Mn");
    EXPECT(decode(image.out.written(), 0, found).has_value());
}
