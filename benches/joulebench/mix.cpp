// SPDX-License-Identifier: Apache-2.0
#include "benches/joulebench/mix.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/device/registers/register_map.h"
#include "core/device/sunspec/models.h"
#include "generated/devices/devices.h"

namespace jw::bench {
namespace {

using sunspec::Point;
using sunspec::Type;

RawType raw_type(Type type) {
    switch (type) {
        case Type::int16:
            return RawType::i16;
        case Type::acc32:
        case Type::bitfield32:
            return RawType::u32;
        default:
            return RawType::u16;
    }
}

/// The points of a model whose values are wanted; `model_at` and `from` in registers.
void add_points(std::span<const Point> points,
                std::uint32_t model_at,
                std::uint32_t points_at,
                Question& question) {
    for (const Point& point : points) {
        if (point.quantity == Quantity::none) {
            continue;
        }
        RawValue value;
        value.at = 2 * (points_at + point.offset - question.start);
        value.type = raw_type(point.type);
        value.scale_at =
            point.scale == 0 ? -1 : static_cast<int>(2 * (model_at + point.scale - question.start));
        value.multiply = std::pow(10, point.power);
        question.values.push_back(value);
    }
}

}  // namespace

std::size_t Mix::tags() const {
    return std::accumulate(
        questions.begin(), questions.end(), std::size_t{0}, [](std::size_t sum, const Question& q) {
            return sum + q.values.size();
        });
}

Mix meters() {
    const registers::RegisterMap& map = sdm630::map;
    Mix mix{"SDM630 meters", std::string(map.name), {}};
    for (const registers::Block& block : map.blocks) {
        Question question{static_cast<std::uint8_t>(block.table), block.start, block.count, {}};
        for (const registers::Row& row : map.rows) {
            if (registers::check::inside(block, row.table, row.address, 1)) {
                const auto at = std::size_t{row.address} - block.start;
                question.values.push_back(
                    {2 * at, RawType::f32, -1, static_cast<double>(row.multiply)});
            }
        }
        mix.questions.push_back(std::move(question));
    }
    return mix;
}

Mix inverters() {
    constexpr std::uint16_t first = 2;  // behind the header of model 103
    Question question{3, sunspec_base + inverter_at + first, 0, {}};
    question.count = strings_at + strings_size - inverter_at - first;
    constexpr std::uint32_t inverter = sunspec_base + inverter_at;
    constexpr std::uint32_t inputs = sunspec_base + strings_at;
    add_points(sunspec::model_of(103)->points[0], inverter, inverter, question);
    const sunspec::Modules& modules = sunspec::model_of(160)->modules;
    for (std::uint32_t i = 0; i < strings; ++i) {
        add_points(modules.points, inputs, inputs + modules.start + i * modules.size, question);
    }
    return {"SunSpec inverters", "sunspec", {std::move(question)}};
}

}  // namespace jw::bench
