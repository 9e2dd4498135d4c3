// SPDX-License-Identifier: Apache-2.0
// SunSpec register images with values written down by point name, and our tables of models held
// against the official definitions.
#include <bit>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "core/device/sunspec/decode.h"
#include "tests/recorded/recorded.h"

namespace {

using namespace jw;
using namespace jw::sunspec;
using nlohmann::json;

std::string decimal(const PointValue& value) {
    std::array<char, 64> buffer{};
    if (value.kind == PointValue::Kind::float32) {
        const auto number = std::bit_cast<float>(value.float_bits);
        return {buffer.data(),
                std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr};
    }
    Text out{buffer};
    put_decimal(value.number, value.exponent, out);
    return std::string(out.view());
}

/// Every point by its name: "103.W", "160.module[1].DCW"; absent ones as null.
class Names final : public DecodeOut {
  public:
    void model(std::uint16_t id,
               std::uint32_t /*address*/,
               std::uint16_t /*length*/,
               const Model* known) override {
        id_ = id;
        model_ = known;
    }
    void point(const Point& point, std::uint16_t module, const PointValue& value) override {
        std::string name = std::to_string(id_) + ".";
        if (module != 0) {
            name += std::string(model_->modules.name) + "[" + std::to_string(module) + "].";
        }
        json& found = points[name + point.name];
        if (value.kind == PointValue::Kind::text) {
            found = std::string(as_text(value.text));
        } else if (value.kind != PointValue::Kind::absent) {
            found = json::parse(decimal(value));
        }
    }

    std::map<std::string, json> points;

  private:
    std::uint16_t id_ = 0;
    const Model* model_ = nullptr;
};

json read_json(const std::filesystem::path& path) {
    return json::parse(recorded::bytes_of(path));
}

std::vector<std::uint8_t> bytes_of(const json& image) {
    std::vector<std::uint8_t> bytes;
    for (const std::uint16_t word : image.at("registers")) {
        bytes.push_back(static_cast<std::uint8_t>(word >> 8));
        bytes.push_back(static_cast<std::uint8_t>(word));
    }
    return bytes;
}

class SunSpecImage : public testing::TestWithParam<const char*> {};

TEST_P(SunSpecImage, has_every_point_as_it_was_written_down) {
    const auto folder = recorded::folder("inverters/sunspec");
    JW_NEED_RECORDED(folder);
    const json image = read_json(folder / GetParam());
    Names names;
    const std::vector<std::uint8_t> bytes = bytes_of(image);
    ASSERT_TRUE(decode(bytes, image.at("base"), names).has_value());
    const json& expected = image.at("meta").at("expect");
    ASSERT_FALSE(expected.empty());
    for (const auto& [name, value] : expected.items()) {
        ASSERT_TRUE(names.points.contains(name)) << name;
        EXPECT_EQ(names.points.at(name), value) << name;
    }
}

TEST_P(SunSpecImage, is_refused_where_it_is_cut) {
    const auto folder = recorded::folder("inverters/sunspec");
    JW_NEED_RECORDED(folder);
    const json image = read_json(folder / GetParam());
    const std::vector<std::uint8_t> bytes = bytes_of(image);
    // The last register, the length of the end, may be missing; nothing else may.
    for (std::size_t size = 0; size + 2 < bytes.size(); ++size) {
        Names names;
        EXPECT_FALSE(decode(Bytes(bytes).first(size), 0, names).has_value()) << size;
    }
}

INSTANTIATE_TEST_SUITE_P(Simulated,
                         SunSpecImage,
                         testing::Values("sim_hybrid_int_40000.json",
                                         "sim_meter_float_40000.json",
                                         "sim_der_7xx_base0.json"));

/// A point as the definitions have it.
struct Defined {
    std::string type;
    int offset = 0;
    int size = 0;
    int scale = 0;
};
using Definitions = std::map<std::string, Defined>;

int define(const json& group, const std::string& prefix, int offset, Definitions& out) {
    for (const json& point : group.at("points")) {
        const int size = point.at("size");
        out[prefix + point.at("name").get<std::string>()] = {point.at("type"), offset, size, 0};
        offset += size;
    }
    return offset;
}

/// Scale factors are named in the group itself or in the one around it.
void scale(const json& group,
           const std::string& prefix,
           const Definitions& fixed,
           Definitions& out) {
    for (const json& point : group.at("points")) {
        if (point.contains("sf")) {
            const std::string factor = point.at("sf");
            out.at(prefix + point.at("name").get<std::string>()).scale = fixed.at(factor).offset;
        }
    }
}

const char* type_name(Type type) {
    static constexpr const char* names[] = {"int16",
                                            "uint16",
                                            "enum16",
                                            "bitfield16",
                                            "count",
                                            "int32",
                                            "uint32",
                                            "acc32",
                                            "bitfield32",
                                            "uint64",
                                            "float32",
                                            "string"};
    return names[static_cast<int>(type)];
}

void expect_same(const Point& ours, const Definitions& theirs, std::uint16_t model) {
    const auto found = theirs.find(ours.name);
    ASSERT_NE(found, theirs.end()) << model << "." << ours.name;
    EXPECT_EQ(ours.offset, found->second.offset) << model << "." << ours.name;
    EXPECT_EQ(type_name(ours.type), found->second.type) << model << "." << ours.name;
    EXPECT_EQ(ours.size, found->second.size) << model << "." << ours.name;
    EXPECT_EQ(ours.scale, found->second.scale) << model << "." << ours.name;
}

std::size_t defined_points(const Definitions& definitions) {
    std::size_t count = 0;
    for (const auto& [name, point] : definitions) {
        count += point.type != "pad" && point.type != "sunssf" && name != "ID" && name != "L";
    }
    return count;
}

TEST(SunSpecModels, agree_with_the_official_definitions_in_every_row_and_leave_none_out) {
    const auto folder = recorded::folder("inverters/sunspec/models");
    JW_NEED_RECORDED(folder);
    std::size_t points = 0;
    for (const Model& model : models()) {
        const json group =
            read_json(folder / ("model_" + std::to_string(model.id) + ".json")).at("group");
        Definitions fixed;
        Definitions modules;
        int end = define(group, "", 0, fixed);
        scale(group, "", fixed, fixed);
        for (const json& inner : group.value("groups", json::array())) {
            if (inner.value("count", json(1)) == json(1)) {
                const std::string prefix = inner.at("name").get<std::string>() + ".";
                end = define(inner, prefix, end, fixed);
                scale(inner, prefix, fixed, fixed);
            } else {
                EXPECT_EQ(model.modules.start, end);
                EXPECT_EQ(model.modules.name, inner.at("name").get<std::string>());
                EXPECT_EQ(model.modules.size, define(inner, "", 0, modules));
                scale(inner, "", fixed, modules);
                const json& count = inner.at("count");
                EXPECT_EQ(model.modules.count, count.is_string() ? fixed.at(count).offset : 0);
            }
        }
        std::size_t ours = 0;
        for (const auto& part : model.points) {
            for (const Point& point : part) {
                expect_same(point, fixed, model.id);
                ++ours;
            }
        }
        EXPECT_EQ(ours, defined_points(fixed)) << model.id;
        for (const Point& point : model.modules.points) {
            expect_same(point, modules, model.id);
        }
        // A module's own ID is a point like any other.
        EXPECT_EQ(model.modules.points.size(), modules.size()) << model.id;
        points += ours + model.modules.points.size();
    }
    EXPECT_EQ(models().size(), 27U);
    EXPECT_GT(points, 900U);
}

}  // namespace
