// SPDX-License-Identifier: Apache-2.0
#pragma once
// The SunSpec information models that we read, as tables. Facts are those of the official
// definitions (github.com/sunspec/models, Apache-2.0); a test holds every row against them.
#include <array>
#include <cstdint>
#include <span>

#include "core/model/quantity.h"

namespace jw::sunspec {

/// Types of points, named as the definitions name them.
enum class Type : std::uint8_t {
    int16,
    uint16,
    enum16,
    bitfield16,
    count,
    int32,
    uint32,
    acc32,
    bitfield32,
    uint64,
    float32,
    string,
};

struct Point {
    const char* name = nullptr;
    std::uint8_t offset = 0;  // in registers from the model's id, or from the begin of a module
    Type type = Type::uint16;
    std::uint8_t size = 0;   // in registers
    std::uint8_t scale = 0;  // offset of its scale factor in the model; 0: it has none
    Quantity quantity = Quantity::none;
    std::uint8_t index = 0;
    std::int8_t power = 0;  // of ten, from the point's unit to that of the quantity
    std::int8_t sign = 1;   // -1: SunSpec counts discharging as positive, we charging
};

/// A group of points that repeats: the inputs of model 160, the ports of model 714.
struct Modules {
    const char* name = nullptr;
    std::uint8_t start = 0;  // offset of the first
    std::uint8_t size = 0;
    std::uint8_t count = 0;  // offset of the point that counts them; 0: as many as the length holds
    std::span<const Point> points{};
};

struct Model {
    std::uint16_t id = 0;
    std::array<std::span<const Point>, 3> points{};  // read in this order
    Modules modules{};
};

/// The model of that number, or null.
const Model* model_of(std::uint16_t id);
std::span<const Model> models();

/// Meters count what the maker likes: their power has a sign of its own.
constexpr bool is_meter(const Model& model) {
    return model.id > 200 && model.id < 300;
}

}  // namespace jw::sunspec
