// SPDX-License-Identifier: Apache-2.0
// `joulectl decode WIRE [FILE]`: the contract of all wires; each wire has a file of its own.
#include "apps/joulectl/decode.h"

#include <algorithm>
#include <cstdio>

#include "apps/joulectl/input.h"
#include "apps/joulectl/subcommands.h"

namespace joulectl {
namespace {

constexpr Wire wires[] = {
    {"candump",
     "CAN frames to inverters, as candump or SavvyCAN recorded them; see --profile",
     TextForm::only,
     &decode_candump},
    {"modbus-rtu",
     "Modbus frames of a serial line, requests and replies",
     TextForm::none,
     &decode_modbus_rtu},
    {"modbus-tcp",
     "Modbus frames of a TCP connection, both directions",
     TextForm::none,
     &decode_modbus_tcp},
    {"p1",
     "telegrams of smart meters (DSMR P1); own text form: as recorded",
     TextForm::also,
     &decode_p1},
    {"slcan",
     "CAN frames as an slcan adapter writes them on its serial line; see --profile",
     TextForm::only,
     &decode_slcan},
    {"sunspec",
     "register image of a SunSpec device; own text form: {\"base\":N,\"registers\":[…]}",
     TextForm::also,
     &decode_sunspec},
    {"tinybms", "UART frames of a TinyBMS, requests and replies", TextForm::none, &decode_tinybms},
    {"tinybms-registers",
     "register dump of a TinyBMS; own text form: lines as Register 36: HEX=1eb8_425f, or an image "
     "as sunspec takes",
     TextForm::also,
     &decode_tinybms_registers},
};

const Wire& wire_named(const std::string& name) {
    const auto* found = std::find_if(
        std::begin(wires), std::end(wires), [&](const Wire& wire) { return name == wire.name; });
    if (found == std::end(wires)) {
        throw UsageError("decode: no wire is called " + name + "; there are\n" + decode_wires());
    }
    return *found;
}

void print(const Json& line) {
    const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace);
    std::printf("%s\n", text.c_str());
}

}  // namespace

std::string decode_wires() {
    std::string list;
    for (const Wire& wire : wires) {
        list += std::string(list.empty() ? "" : "\n") + "  " + wire.name + ": " + wire.summary;
    }
    return list;
}

void DecodeOut::accepted(const Json& frame) {
    ++frames_;
    print(frame);
}

void DecodeOut::refused(jw::Code code, std::size_t at, std::size_t from, const std::string& text) {
    ++frames_;
    ++refusals_;
    print({{"error", jw::code_name(code)}, {"at", at}, {"from", from}, {"text", text}});
}

int decode(const DecodeOptions& options) {
    const Wire& wire = wire_named(options.wire);
    const std::string text = read_all(options.file);
    DecodeOut out;
    DecodeInput input;
    HexText hex;
    const bool own_form = options.binary || wire.text_form == TextForm::only;
    input.profile = options.profile;
    if (!own_form) {
        hex = parse_hex(text);
    }
    if (own_form || (!hex.wrong.empty() && wire.text_form == TextForm::also)) {
        input.bytes = jw::as_bytes(text);
        input.text = !options.binary;
        wire.decode(input, out);
    } else {
        input.bytes = hex.bytes;
        input.line_starts = hex.line_starts;
        wire.decode(input, out);
        if (!hex.wrong.empty()) {
            const auto line =
                1 + std::count(text.begin(), text.begin() + static_cast<long>(hex.wrong_at), '\n');
            out.refused(jw::Code::malformed,
                        hex.bytes.size(),
                        hex.bytes.size(),
                        "line " + std::to_string(line) + " of the text: " + hex.wrong +
                            "; give hex text, or --binary for raw bytes");
        }
    }
    if (out.frames() == 0) {
        out.refused(jw::Code::not_found,
                    0,
                    0,
                    "no frame in " + std::to_string(input.bytes.size()) + " bytes");
    }
    return out.refusals() == 0 ? 0 : 1;
}

}  // namespace joulectl
