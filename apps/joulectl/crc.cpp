// SPDX-License-Identifier: Apache-2.0
// `joulectl crc NAME HEX`: a checksum, as a number and as it stands on its wire.
#include "core/base/crc.h"

#include <cstdio>

#include "apps/joulectl/input.h"
#include "apps/joulectl/subcommands.h"

namespace joulectl {

int crc(const CrcOptions& options) {
    HexText hex;
    if (options.bytes == "-") {
        const std::string raw = read_all("-");
        hex.bytes.assign(raw.begin(), raw.end());
    } else {
        hex = parse_hex(options.bytes);
    }
    if (!hex.wrong.empty()) {
        throw UsageError("crc: character " + std::to_string(hex.wrong_at + 1) +
                         " of the bytes: " + hex.wrong);
    }
    const jw::Bytes bytes(hex.bytes);
    if (options.name == "modbus") {
        const unsigned sum = jw::crc16_modbus(bytes);
        std::printf(
            "{\"crc\":\"modbus\",\"value\":%u,\"wire\":\"%02X%02X\"}\n", sum, sum & 0xFF, sum >> 8);
    } else if (options.name == "arc") {
        const unsigned sum = jw::crc16_arc(bytes);
        std::printf("{\"crc\":\"arc\",\"value\":%u,\"wire\":\"!%04X\"}\n", sum, sum);
    } else if (options.name == "x25") {
        const unsigned sum = jw::crc16_x25(bytes);
        std::printf(
            "{\"crc\":\"x25\",\"value\":%u,\"wire\":\"%02X%02X\"}\n", sum, sum & 0xFF, sum >> 8);
    } else if (options.name == "crc32c") {
        std::printf("{\"crc\":\"crc32c\",\"value\":%u}\n", jw::crc32c(bytes));
    } else {
        throw UsageError("crc: no checksum is called " + options.name +
                         "; there are modbus, arc, x25 and crc32c");
    }
    return 0;
}

}  // namespace joulectl
