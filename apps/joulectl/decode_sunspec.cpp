// SPDX-License-Identifier: Apache-2.0
// SunSpec register images as JSON: each model with its scaled points, and what they mean to us.
#include <array>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "apps/joulectl/decode.h"
#include "apps/joulectl/input.h"
#include "apps/joulectl/subcommands.h"
#include "core/device/sunspec/decode.h"
#include "core/model/quantity.h"

namespace joulectl {
namespace {

using namespace jw;
using sunspec::PointValue;

Json value_json(const PointValue& value) {
    std::array<char, 64> room{};
    switch (value.kind) {
        case PointValue::Kind::absent:
            break;
        case PointValue::Kind::text:
            return std::string(as_text(value.text));
        case PointValue::Kind::number: {
            if (value.exponent == 0) {
                return value.number;
            }
            Text text(room);
            sunspec::put_decimal(value.number, value.exponent, text);
            return std::strtod(std::string(text.view()).c_str(), nullptr);
        }
        case PointValue::Kind::float32: {
            // The shortest decimal that gives this float again: 230.1, not 230.10000610351562.
            const auto number = std::bit_cast<float>(value.float_bits);
            const auto end = std::to_chars(room.data(), room.data() + room.size(), number).ptr;
            return std::strtod(std::string(room.data(), end).c_str(), nullptr);
        }
    }
    return nullptr;
}

/// Gathers one model after the other and prints each.
class ModelLines : public sunspec::DecodeOut {
  public:
    ModelLines(std::uint16_t base, joulectl::DecodeOut& out) : base_(base), out_(out) {}

    void model(std::uint16_t id,
               std::uint32_t address,
               std::uint16_t length,
               const sunspec::Model* known) override {
        finish();
        frame_ = Json{{"wire", "sunspec"},
                      {"at", address - base_},
                      {"model", id},
                      {"address", address},
                      {"length", length},
                      {"known", known != nullptr}};
        next_ = address - base_ + 2U + length;
    }

    void point(const sunspec::Point& point,
               std::uint16_t module,
               const PointValue& value) override {
        Json* place = &(*frame_)["points"];
        if (module > 0) {
            Json& list = (*frame_)["modules"];
            while (list.size() < module) {
                list.push_back(Json::object());
            }
            place = &list[module - 1U];
        }
        (*place)[point.name] = value_json(value);
        const auto number = sunspec::quantity_of(point, value);
        if (number && point.quantity != Quantity::none) {
            const std::uint8_t index = module > 0 ? static_cast<std::uint8_t>(module) : point.index;
            std::array<char, 64> room{};
            Text name(room);
            put_name(point.quantity, index, name);
            (*frame_)["values"][std::string(name.view())] = *number;
        }
    }

    void finish() {
        if (frame_) {
            out_.accepted(*frame_);
            frame_.reset();
        }
    }
    /// Index of the register behind the last model.
    [[nodiscard]] std::size_t next() const { return next_; }

  private:
    std::uint32_t base_;
    joulectl::DecodeOut& out_;
    std::optional<Json> frame_;
    std::size_t next_ = 2;
};

const char* reason(Code code) {
    switch (code) {
        case Code::not_found:
            return "the registers do not begin with SunS (21365, 28243)";
        case Code::truncated:
            return "the image ends inside a model, or without the end model 65535";
        default:
            return "the first model is not 1, or no end comes within 64 models";
    }
}

}  // namespace

void decode_sunspec(const DecodeInput& input, DecodeOut& out) {
    RegisterImage image;
    try {
        image = read_image(std::string(as_text(input.bytes)), "image");
    } catch (const UsageError& error) {
        out.refused(Code::malformed, 0, 0, error.what());
        return;
    }
    std::vector<std::uint8_t> bytes;
    for (const std::uint16_t value : image.registers) {
        bytes.push_back(static_cast<std::uint8_t>(value >> 8));
        bytes.push_back(static_cast<std::uint8_t>(value & 0xFF));
    }
    ModelLines models(image.base, out);
    const Status status = sunspec::decode(bytes, image.base, models);
    models.finish();
    if (!status) {
        const std::size_t at = status.code() == Code::not_found ? 0 : models.next();
        out.refused(status.code(), at, at, reason(status.code()));
    }
}

}  // namespace joulectl
