// SPDX-License-Identifier: Apache-2.0
#pragma once
// A whole SunSpec register image, model by model, point by point: what tools print and tests check.
#include <cstdint>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/device/sunspec/models.h"
#include "core/device/sunspec/point_value.h"

namespace jw::sunspec {

/// "SunS"; a chain of models follows it.
inline constexpr std::uint32_t marker = 0x5375'6E53;
inline constexpr std::uint16_t end_of_chain = 0xFFFF;
inline constexpr std::uint16_t common_model = 1;
inline constexpr unsigned chain_models_max = 64;

class DecodeOut {
  public:
    /// A model begins at `address`. `known` is null where we have no table; it has no points then.
    virtual void model(std::uint16_t id,
                       std::uint32_t address,
                       std::uint16_t length,
                       const Model* known) = 0;
    /// A point of it; `module` counts repeated groups from 1 and is 0 outside of them.
    virtual void point(const Point& point, std::uint16_t module, const PointValue& value) = 0;

  protected:
    ~DecodeOut() = default;
};

/// How many modules a model of that length has room for.
std::uint16_t module_room(const Model& model, std::uint16_t length);

/// Decodes the chain that begins with the marker at the front of `registers`, two bytes each.
/// Errors: not_found (no marker), malformed (the first model is not 1, or there is no end within
/// 64 models), truncated (a model is longer than the image).
Status decode(Bytes registers, std::uint16_t base, DecodeOut& out);

}  // namespace jw::sunspec
