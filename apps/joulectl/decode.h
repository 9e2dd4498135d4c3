// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a decoder of one wire gets and what it gives; decode.cpp has the list of them.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace joulectl {

using Json = nlohmann::ordered_json;

struct DecodeInput {
    jw::Bytes bytes;
    bool text = false;  // in the wire's own text form, which an editor may have touched
    /// Offsets at which a line of hex text began: where a decoder may find its feet again after a
    /// frame that it refused. Empty for raw bytes.
    std::vector<std::size_t> line_starts;
    std::string profile;  // of CAN frames: whose dialect they are in
};

/// Prints one line for each frame.
class DecodeOut {
  public:
    void accepted(const Json& frame);
    /// `at` is the offset of the offending byte, `from` that of the frame's first byte.
    void refused(jw::Code code, std::size_t at, std::size_t from, const std::string& text);
    [[nodiscard]] int refusals() const { return refusals_; }
    [[nodiscard]] int frames() const { return frames_; }

  private:
    int frames_ = 0;
    int refusals_ = 0;
};

/// Whether a wire has a text form of its own.
enum class TextForm : std::uint8_t {
    none,
    also,  // input that is not hex is taken as that
    only,
};

struct Wire {
    const char* name;
    const char* summary;
    TextForm text_form;
    void (*decode)(const DecodeInput& input, DecodeOut& out);
};

void decode_candump(const DecodeInput& input, DecodeOut& out);
void decode_modbus_rtu(const DecodeInput& input, DecodeOut& out);
void decode_modbus_tcp(const DecodeInput& input, DecodeOut& out);
void decode_p1(const DecodeInput& input, DecodeOut& out);
void decode_slcan(const DecodeInput& input, DecodeOut& out);
void decode_sunspec(const DecodeInput& input, DecodeOut& out);
void decode_tinybms(const DecodeInput& input, DecodeOut& out);
void decode_tinybms_registers(const DecodeInput& input, DecodeOut& out);

}  // namespace joulectl
