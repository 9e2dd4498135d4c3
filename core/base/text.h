// SPDX-License-Identifier: Apache-2.0
#pragma once
// Text built inside a given buffer, and short text that lives in its owner.
#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace jw {

/// Appends characters to a buffer that the caller owns. After an overflow nothing more is written
/// and ok() stays false.
class Text {
  public:
    constexpr explicit Text(std::span<char> buffer) : buffer_(buffer) {}
    [[nodiscard]] constexpr bool ok() const { return ok_; }
    [[nodiscard]] constexpr std::size_t size() const { return at_; }
    [[nodiscard]] constexpr std::size_t room() const { return buffer_.size() - at_; }
    [[nodiscard]] constexpr std::string_view view() const { return {buffer_.data(), at_}; }
    constexpr void clear() {
        at_ = 0;
        ok_ = true;
    }
    /// Cuts the text back to an earlier size() and forgets an overflow since then.
    constexpr void rewind(std::size_t size) {
        at_ = std::min(at_, size);
        ok_ = true;
    }

    constexpr Text& put(char c) {
        if (!ok_ || at_ == buffer_.size()) {
            ok_ = false;
            return *this;
        }
        buffer_[at_++] = c;
        return *this;
    }
    constexpr Text& put(std::string_view text) {
        if (!ok_ || text.size() > room()) {
            ok_ = false;
            return *this;
        }
        std::copy(text.begin(), text.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
        at_ += text.size();
        return *this;
    }
    template <std::integral T>
    requires(!std::same_as<T, char> && !std::same_as<T, bool>) Text& put(T number) {
        std::array<char, 24> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
        return put(std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data())));
    }
    constexpr Text& hex(std::uint64_t value, unsigned digits) {
        for (unsigned i = digits; i > 0; --i) {
            put("0123456789abcdef"[(value >> (4 * (i - 1))) & 0xF]);
        }
        return *this;
    }
    /// A JSON string with quotes; control characters are escaped, bytes above 0x7F pass as they
    /// are.
    constexpr Text& json(std::string_view text) {
        put('"');
        for (const char c : text) {
            if (c == '"' || c == '\\') {
                put('\\').put(c);
            } else if (static_cast<unsigned char>(c) < 0x20) {
                put("\\u00").hex(static_cast<unsigned char>(c), 2);
            } else {
                put(c);
            }
        }
        return put('"');
    }

  private:
    std::span<char> buffer_;
    std::size_t at_ = 0;
    bool ok_ = true;
};

/// Short text of at most N bytes that is stored in its owner; assigning longer text cuts it.
template <std::size_t N>
class FixedText {
    static_assert(N <= 255);

  public:
    constexpr FixedText() = default;
    template <class T>
    requires std::convertible_to<const T&, std::string_view>
    // NOLINTNEXTLINE(google-explicit-constructor): names are assigned from literals everywhere.
    constexpr FixedText(const T& text) { assign(text); }
    template <class T>
    requires std::convertible_to<const T&, std::string_view>
    constexpr FixedText& operator=(const T& text) {
        assign(text);
        return *this;
    }
    static constexpr std::size_t capacity() { return N; }
    [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
    [[nodiscard]] constexpr std::size_t size() const { return size_; }
    [[nodiscard]] constexpr std::string_view view() const { return {text_.data(), size_}; }
    friend constexpr bool operator==(const FixedText& a, const FixedText& b) {
        return a.view() == b.view();
    }
    template <class T>
    requires std::convertible_to<const T&, std::string_view>
    friend constexpr bool operator==(const FixedText& a, const T& b) {
        return a.view() == std::string_view(b);
    }

  private:
    constexpr void assign(std::string_view text) {
        size_ = static_cast<std::uint8_t>(std::min(text.size(), N));
        std::copy_n(text.begin(), size_, text_.begin());
    }

    std::array<char, N> text_{};
    std::uint8_t size_ = 0;
};

}  // namespace jw
