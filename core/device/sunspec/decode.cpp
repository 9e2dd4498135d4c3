// SPDX-License-Identifier: Apache-2.0
// A whole SunSpec register image, model by model, point by point.
#include "core/device/sunspec/decode.h"

#include <algorithm>

#include "core/codec/modbus.h"

namespace jw::sunspec {

std::uint16_t module_room(const Model& model, std::uint16_t length) {
    const Modules& modules = model.modules;
    if (modules.size == 0 || length + 2U < modules.start) {
        return 0;
    }
    return static_cast<std::uint16_t>((length + 2U - modules.start) / modules.size);
}

namespace {

void decode_model(const Model& model, const Window& window, std::uint16_t length, DecodeOut& out) {
    for (const auto& points : model.points) {
        for (const Point& point : points) {
            out.point(point, 0, value_of(point, point.offset, window, window));
        }
    }
    std::uint16_t modules = module_room(model, length);
    if (modules > 0 && model.modules.count != 0) {
        modules = std::min(modules, modbus::register_at(window.at(model.modules.count, 1), 0));
    }
    for (std::uint16_t i = 0; i < modules; ++i) {
        const std::uint32_t start = model.modules.start + std::uint32_t{i} * model.modules.size;
        for (const Point& point : model.modules.points) {
            out.point(point,
                      static_cast<std::uint16_t>(i + 1),
                      value_of(point, start + point.offset, window, window));
        }
    }
}

}  // namespace

Status decode(Bytes registers, std::uint16_t base, DecodeOut& out) {
    Reader in{registers};
    if (in.u32_be() != marker || !in.ok()) {
        return JW_FAIL(not_found);
    }
    for (unsigned i = 0; i < chain_models_max; ++i) {
        const std::size_t start = in.position();
        const std::uint16_t id = in.u16_be();
        if (!in.ok()) {
            return JW_FAIL(truncated);
        }
        if (i == 0 && id != common_model) {
            return JW_FAIL(malformed);
        }
        // Some devices end with 0, some leave out the length of the end.
        if (id == end_of_chain || id == 0) {
            return done;
        }
        const std::uint16_t length = in.u16_be();
        in.skip(2U * length);
        if (!in.ok()) {
            return JW_FAIL(truncated);
        }
        const Model* known = model_of(id);
        out.model(id, base + static_cast<std::uint32_t>(start / 2), length, known);
        if (known != nullptr) {
            const Window window{registers.subspan(start, 2 * (2U + length)), 0};
            decode_model(*known, window, length, out);
        }
    }
    return JW_FAIL(malformed);
}

}  // namespace jw::sunspec
