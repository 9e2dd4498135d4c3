// SPDX-License-Identifier: Apache-2.0
#include "core/base/cbor.h"

namespace jw::cbor {
namespace {

constexpr std::uint8_t false_byte = 0xF4;
constexpr std::uint8_t true_byte = 0xF5;

}  // namespace

void put_long_head(Writer& out, Major major, std::uint64_t argument) {
    const auto top = static_cast<std::uint8_t>(static_cast<std::uint8_t>(major) << 5);
    if (argument <= 0xFF) {
        out.u8(top | 24).u8(static_cast<std::uint8_t>(argument));
    } else if (argument <= 0xFFFF) {
        out.u8(top | 25).u16_be(static_cast<std::uint16_t>(argument));
    } else if (argument <= 0xFFFFFFFF) {
        out.u8(top | 26).u32_be(static_cast<std::uint32_t>(argument));
    } else {
        out.u8(top | 27).u64_be(argument);
    }
}

void put_int(Writer& out, std::int64_t value) {
    if (value < 0) {
        put_head(out, Major::negative, ~static_cast<std::uint64_t>(value));
    } else {
        put_head(out, Major::number, static_cast<std::uint64_t>(value));
    }
}

void put_bool(Writer& out, bool value) {
    out.u8(value ? true_byte : false_byte);
}

void put_text(Writer& out, std::string_view text) {
    put_head(out, Major::text, text.size());
    out.put(text);
}

void put_bytes(Writer& out, Bytes bytes) {
    put_head(out, Major::bytes, bytes.size());
    out.put(bytes);
}

Result<Head> take_head(Reader& in) {
    const std::uint8_t byte = in.u8();
    if (!in.ok()) {
        return JW_FAIL(truncated);
    }
    Head head{static_cast<Major>(byte >> 5), static_cast<std::uint64_t>(byte & 0x1F)};
    if (head.argument < 24) {
        return head;
    }
    std::uint64_t least = 0;  // the smallest argument that needs this form
    switch (head.argument) {
        case 24:
            head.argument = in.u8();
            least = 24;
            break;
        case 25:
            head.argument = in.u16_be();
            least = 0x100;
            break;
        case 26:
            head.argument = in.u32_be();
            least = 0x10000;
            break;
        case 27:
            head.argument = in.u64_be();
            least = 0x100000000;
            break;
        default:
            return JW_FAIL(malformed);
    }
    if (!in.ok()) {
        return JW_FAIL(truncated);
    }
    if (head.argument < least) {
        return JW_FAIL(malformed);
    }
    return head;
}

Result<std::int64_t> take_int(Reader& in) {
    const auto head = take_head(in);
    if (!head) {
        return head.error();
    }
    if (head->major != Major::number && head->major != Major::negative) {
        return JW_FAIL(malformed);
    }
    if (head->argument > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return JW_FAIL(out_of_range);
    }
    const auto value = static_cast<std::int64_t>(head->argument);
    return head->major == Major::negative ? -1 - value : value;
}

Result<std::uint64_t> take_unsigned(Reader& in) {
    const auto head = take_head(in);
    if (!head) {
        return head.error();
    }
    if (head->major != Major::number) {
        return JW_FAIL(malformed);
    }
    return head->argument;
}

Result<bool> take_bool(Reader& in) {
    const std::uint8_t byte = in.u8();
    if (!in.ok()) {
        return JW_FAIL(truncated);
    }
    if (byte != false_byte && byte != true_byte) {
        return JW_FAIL(malformed);
    }
    return byte == true_byte;
}

namespace {

Result<Bytes> take_string(Reader& in, Major major) {
    const auto head = take_head(in);
    if (!head) {
        return head.error();
    }
    if (head->major != major) {
        return JW_FAIL(malformed);
    }
    if (head->argument > in.remaining()) {
        return JW_FAIL(truncated);
    }
    return in.take(static_cast<std::size_t>(head->argument));
}

}  // namespace

Result<std::string_view> take_text(Reader& in) {
    const auto bytes = take_string(in, Major::text);
    if (!bytes) {
        return bytes.error();
    }
    return as_text(*bytes);
}

Result<Bytes> take_bytes(Reader& in) {
    return take_string(in, Major::bytes);
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by `depth`.
Status skip(Reader& in, int depth) {
    const auto head = take_head(in);
    if (!head) {
        return head.error();
    }
    std::uint64_t items = 0;
    switch (head->major) {
        case Major::number:
        case Major::negative:
        case Major::simple:
            return done;
        case Major::bytes:
        case Major::text:
            if (head->argument > in.remaining()) {
                return JW_FAIL(truncated);
            }
            in.skip(static_cast<std::size_t>(head->argument));
            return done;
        case Major::tag:
            items = 1;
            break;
        case Major::array:
            items = head->argument;
            break;
        case Major::map:
            if (head->argument > in.remaining()) {
                return JW_FAIL(truncated);
            }
            items = head->argument * 2;
            break;
    }
    if (depth == 0) {
        return JW_FAIL(unsupported);
    }
    if (items > in.remaining()) {  // each item takes a byte at least
        return JW_FAIL(truncated);
    }
    for (std::uint64_t i = 0; i < items; ++i) {
        JW_TRY(skip(in, depth - 1));
    }
    return done;
}

}  // namespace jw::cbor
