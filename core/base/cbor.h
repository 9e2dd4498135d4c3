// SPDX-License-Identifier: Apache-2.0
#pragma once
// Messages to and from deterministic CBOR (RFC 8949, 4.2.1): a map from field id to value, ids
// rising, shortest heads, absent fields left out. docs/formats/cbor.md has a worked example.
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/fields.h"
#include "core/base/result.h"
#include "core/base/text.h"

namespace jw {

namespace cbor {

enum class Major : std::uint8_t { number, negative, bytes, text, array, map, tag, simple };

void put_long_head(Writer& out, Major major, std::uint64_t argument);
inline void put_head(Writer& out, Major major, std::uint64_t argument) {
    if (argument < 24) {  // most of them
        out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(major) << 5 | argument));
    } else {
        put_long_head(out, major, argument);
    }
}
void put_int(Writer& out, std::int64_t value);
void put_bool(Writer& out, bool value);
void put_text(Writer& out, std::string_view text);
void put_bytes(Writer& out, Bytes bytes);

struct Head {
    Major major = Major::number;
    std::uint64_t argument = 0;
};
/// Reads one head. Errors: truncated, malformed (indefinite length, or not the shortest form).
Result<Head> take_head(Reader& in);
Result<std::int64_t> take_int(Reader& in);
Result<std::uint64_t> take_unsigned(Reader& in);
Result<bool> take_bool(Reader& in);
Result<std::string_view> take_text(Reader& in);
Result<Bytes> take_bytes(Reader& in);
/// Steps over one item of any kind, at most four levels deep.
Status skip(Reader& in, int depth = 4);

template <class T>
concept Own = requires(const T& value, T& target, Writer& out, Reader& in) {
    value.to_cbor(out);
    { target.from_cbor(in) } -> std::same_as<Status>;
    { value.present() } -> std::same_as<bool>;
};

template <class T>
bool present(const T& value) {
    if constexpr (Own<T>) {
        return value.present();
    } else if constexpr (requires { value.has_value(); }) {
        return value.has_value();
    } else if constexpr (requires { value.view(); }) {
        return !value.empty();
    } else {
        return true;
    }
}

template <class T>
void put(Writer& out, const T& value) {
    if constexpr (Own<T>) {
        value.to_cbor(out);
    } else if constexpr (std::is_enum_v<T>) {
        put_head(out, Major::number, static_cast<std::uint64_t>(value));
    } else if constexpr (std::same_as<T, bool>) {
        put_bool(out, value);
    } else if constexpr (std::unsigned_integral<T>) {
        put_head(out, Major::number, value);
    } else if constexpr (std::integral<T>) {
        put_int(out, value);
    } else if constexpr (requires { value.has_value(); }) {
        put(out, *value);
    } else {
        put_text(out, value.view());
    }
}

template <std::integral T>
Status take_number(Reader& in, T& target) {
    if constexpr (std::unsigned_integral<T>) {
        const auto value = take_unsigned(in);
        if (!value) {
            return value.error();
        }
        if (*value > std::numeric_limits<T>::max()) {
            return JW_FAIL(out_of_range);
        }
        target = static_cast<T>(*value);
    } else {
        const auto value = take_int(in);
        if (!value) {
            return value.error();
        }
        if (*value < std::numeric_limits<T>::min() || *value > std::numeric_limits<T>::max()) {
            return JW_FAIL(out_of_range);
        }
        target = static_cast<T>(*value);
    }
    return done;
}

template <class T>
Status take(Reader& in, T& target) {
    if constexpr (Own<T>) {
        return target.from_cbor(in);
    } else if constexpr (std::is_enum_v<T>) {
        const auto value = take_unsigned(in);
        if (!value) {
            return value.error();
        }
        if (*value >= enum_names(T{}).size()) {
            return JW_FAIL(out_of_range);
        }
        target = static_cast<T>(*value);
    } else if constexpr (std::same_as<T, bool>) {
        const auto value = take_bool(in);
        if (!value) {
            return value.error();
        }
        target = *value;
    } else if constexpr (std::integral<T>) {
        return take_number(in, target);
    } else if constexpr (requires { target.has_value(); }) {
        typename T::value_type value{};
        JW_TRY(take(in, value));
        target = value;
    } else {
        const auto text = take_text(in);
        if (!text) {
            return text.error();
        }
        if (text->size() > T::capacity()) {
            return JW_FAIL(out_of_range);
        }
        target = *text;
    }
    return done;
}

}  // namespace cbor

/// Appends the message as one CBOR map. The writer remembers if it did not fit.
template <class M>
void to_cbor(const M& message, Writer& out) {
    static_assert(ids_rise<M>(), "field ids rise and stay below 24");
    std::uint64_t count = 0;
    M::fields().each([&](const auto& f) { count += cbor::present(message.*f.member) ? 1 : 0; });
    cbor::put_head(out, cbor::Major::map, count);
    M::fields().each([&](const auto& f) {
        if (cbor::present(message.*f.member)) {
            cbor::put_head(out, cbor::Major::number, f.id);
            cbor::put(out, message.*f.member);
        }
    });
}

/// Reads one map into `message`; fields that are absent keep the value they had. Errors: truncated,
/// malformed (also: ids that do not rise), out_of_range (a value does not fit its field).
template <class M>
Status from_cbor(Reader& in, M& message) {
    const auto head = cbor::take_head(in);
    if (!head) {
        return head.error();
    }
    if (head->major != cbor::Major::map) {
        return JW_FAIL(malformed);
    }
    std::int64_t last_id = -1;
    for (std::uint64_t i = 0; i < head->argument; ++i) {
        const auto id = cbor::take_unsigned(in);
        if (!id) {
            return id.error();
        }
        if (*id > 0xFF || static_cast<std::int64_t>(*id) <= last_id) {
            return JW_FAIL(malformed);
        }
        last_id = static_cast<std::int64_t>(*id);
        bool known = false;
        Status taken = done;
        M::fields().each([&](const auto& f) {
            if (f.id == *id) {
                known = true;
                taken = cbor::take(in, message.*f.member);
            }
        });
        if (!known) {
            taken = cbor::skip(in);
        }
        JW_TRY(taken);
    }
    return done;
}

}  // namespace jw
