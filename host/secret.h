// SPDX-License-Identifier: Apache-2.0
#pragma once
// Secret: text that no log, formatter or error message can print by accident.
#include <filesystem>
#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"

namespace jw {

/// Holds a password or key; wipes its memory when it goes. Only reveal() gives it away, so that a
/// search for that word finds every use.
class Secret {
  public:
    explicit Secret(std::string text) : text_(std::move(text)) {}
    Secret(const Secret&) = default;
    /// Copies, and wipes where it came from: moving would leave a short text behind.
    // NOLINTNEXTLINE(performance-move-constructor-init)
    Secret(Secret&& other) noexcept : text_(other.text_) { other.wipe(); }
    Secret& operator=(Secret other) noexcept {
        text_.swap(other.text_);
        return *this;
    }
    ~Secret() { wipe(); }
    [[nodiscard]] std::string_view reveal() const { return text_; }

    friend std::ostream& operator<<(std::ostream&, const Secret&) = delete;

  private:
    void wipe();

    std::string text_;
};

/// Reads a secret from a file of at most 4 KiB; line breaks at its end do not belong to it.
/// Errors: not_found (cannot be opened), denied (everybody may read it: chmod 600), out_of_range
/// (empty or too long).
Result<Secret> read_secret(const std::filesystem::path& path);

}  // namespace jw
