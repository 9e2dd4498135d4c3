// SPDX-License-Identifier: Apache-2.0
// Gzip by zlib.
#include "host/http/gzip.h"

#include <zlib.h>

#include <array>

namespace jw::http {
namespace {

constexpr int gzip_window = 16 + MAX_WBITS;  // 16: with the header of gzip

}  // namespace

std::optional<std::string> gzip(std::string_view plain) {
    constexpr int memory_level = 8;
    z_stream stream{};
    // Fast rather than small: this runs on the loop.
    if (deflateInit2(
            &stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window, memory_level, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return std::nullopt;
    }
    std::string zipped(deflateBound(&stream, plain.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    stream.avail_in = static_cast<uInt>(plain.size());
    stream.next_out = reinterpret_cast<Bytef*>(zipped.data());
    stream.avail_out = static_cast<uInt>(zipped.size());
    const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
    zipped.resize(zipped.size() - stream.avail_out);
    deflateEnd(&stream);
    return whole ? std::optional(std::move(zipped)) : std::nullopt;
}

std::string gunzip(Bytes zipped) {
    z_stream stream{};
    if (inflateInit2(&stream, gzip_window) != Z_OK) {
        return {};
    }
    stream.next_in = const_cast<Bytef*>(zipped.data());
    stream.avail_in = static_cast<uInt>(zipped.size());
    std::string plain;
    std::array<char, 16384> part{};
    int state = Z_OK;
    while (state == Z_OK) {
        stream.next_out = reinterpret_cast<Bytef*>(part.data());
        stream.avail_out = part.size();
        state = inflate(&stream, Z_NO_FLUSH);
        plain.append(part.data(), part.size() - stream.avail_out);
    }
    inflateEnd(&stream);
    return state == Z_STREAM_END ? plain : std::string();
}

}  // namespace jw::http
