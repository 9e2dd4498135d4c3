// SPDX-License-Identifier: Apache-2.0
#pragma once
// Result<T>: a value or an Error. Spelled like std::expected (C++23) so that it can become it.
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace jw {

enum class Code : std::uint8_t {
    ok,
    truncated,     // more bytes are needed
    malformed,     // the bytes break the format
    bad_checksum,  // the format holds, the check does not
    out_of_range,  // a value is beyond its limit
    not_found,
    full,  // a bound is reached: no room for one more
    busy,
    timeout,
    denied,  // the peer or a key says no
    unsupported,
    internal,  // our own mistake
};

/// The code's name as it stands in logs and in JSON.
constexpr const char* code_name(Code code) {
    constexpr const char* names[] = {"ok",
                                     "truncated",
                                     "malformed",
                                     "bad_checksum",
                                     "out_of_range",
                                     "not_found",
                                     "full",
                                     "busy",
                                     "timeout",
                                     "denied",
                                     "unsupported",
                                     "internal"};
    return names[static_cast<std::uint8_t>(code)];
}

/// 16-bit id of a source file, computed by the compiler from its path in the repository
/// (-fmacro-prefix-map strips the rest). tools/tidy.py proves that no two files share one and
/// writes the id -> path table; when two clash it names the next free salt.
inline constexpr std::uint32_t file_id_salt = 6;

consteval std::uint16_t file_id(const char* path) {
    std::uint32_t hash = 2166136261U ^ file_id_salt;
    while (*path != 0) {
        hash = (hash ^ static_cast<std::uint8_t>(*path++)) * 16777619U;
    }
    return static_cast<std::uint16_t>((hash >> 16) ^ hash);
}

/// Where an error was born: `file` is the 16-bit id of the source file, `line` its line.
struct Error {
    Code code = Code::internal;
    std::uint16_t file = 0;
    std::uint16_t line = 0;
};

template <class T>
class [[nodiscard]] Result {
  public:
    // NOLINTBEGIN(google-explicit-constructor): `return value;` and `return JW_FAIL(...)` must read
    // well.
    constexpr Result(T value) : value_(std::move(value)) {}
    constexpr Result(Error error) : error_(error) {}
    // NOLINTEND(google-explicit-constructor)
    constexpr explicit operator bool() const { return value_.has_value(); }
    [[nodiscard]] constexpr bool has_value() const { return value_.has_value(); }
    constexpr T& operator*() & { return *value_; }
    constexpr const T& operator*() const& { return *value_; }
    constexpr T* operator->() { return &*value_; }
    constexpr const T* operator->() const { return &*value_; }
    [[nodiscard]] constexpr const Error& error() const { return error_; }
    /// The code of the error, or ok.
    [[nodiscard]] constexpr Code code() const { return value_ ? Code::ok : error_.code; }

  private:
    std::optional<T> value_;
    Error error_{Code::ok, 0, 0};
};

struct Done {};
using Status = Result<Done>;
inline constexpr Done done{};

}  // namespace jw

#define JW_FAIL(code_) \
    (::jw::Error{::jw::Code::code_, ::jw::file_id(__FILE__), static_cast<std::uint16_t>(__LINE__)})
/// Returns the error of `expr_` from the enclosing function, if it has one.
#define JW_TRY(expr_)                                           \
    do {                                                        \
        if (auto tried = (expr_); !tried) return tried.error(); \
    } while (false)
