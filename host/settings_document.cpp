// SPDX-License-Identifier: Apache-2.0
// The settings file as a JSON document: where it is none, and which member stands in it twice.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "host/settings_check.h"

namespace jw::settings {
namespace {

using Json = nlohmann::json;

constexpr std::size_t levels_max = 32;

/// Follows the parser to notice what it lets pass: two members of one name, nesting without end.
class ParseGuard {
  public:
    explicit ParseGuard(std::vector<SettingsError>& errors) : errors_(errors) {}

    /// `depth` counts the objects and arrays around.
    bool operator()(int depth, Json::parse_event_t event, Json& value) {
        using Event = Json::parse_event_t;
        const auto level = static_cast<std::size_t>(depth);
        if (level > levels_max) {
            if (!too_deep_) {
                wrong("", "nested brackets", "deeper than 32 levels", "flatten the file");
            }
            too_deep_ = true;
            return false;
        }
        levels_.resize(std::max(levels_.size(), level + 1));
        if (event == Event::key) {
            key(level, value.get_ref<const std::string&>());
        } else if (event != Event::object_end && event != Event::array_end) {
            if (level > 0 && levels_[level - 1].is_array) {
                levels_[level - 1].at = std::to_string(levels_[level - 1].items++);
            }
            levels_[level] = {};
            levels_[level].is_array = event == Event::array_start;
        }
        return true;
    }
    [[nodiscard]] bool too_deep() const { return too_deep_; }

  private:
    /// An object or array that is being read.
    struct Level {
        bool is_array = false;
        std::size_t items = 0;
        std::string at;  // the member or item of it that is being read
        std::set<std::string> members;
    };

    void key(std::size_t level, const std::string& name) {
        levels_[level - 1].at = pointer_token(name);
        if (levels_[level - 1].members.insert(name).second) {
            return;
        }
        std::string pointer;
        for (std::size_t i = 0; i < level; ++i) {
            pointer += '/' + levels_[i].at;
        }
        wrong(pointer,
              shown(Json(name)),
              "the member stands twice in one object",
              "leave one of the two");
    }

    void wrong(std::string pointer, std::string found, const char* reason, const char* remedy) {
        SettingsError error;
        error.pointer = std::move(pointer);
        error.found = std::move(found);
        error.reason = reason;
        error.remedy = remedy;
        errors_.push_back(std::move(error));
    }

    std::vector<SettingsError>& errors_;
    std::vector<Level> levels_;
    bool too_deep_ = false;
};

/// Without what was read last, which may be a password whose quote is not closed.
std::string detail_of(std::string_view what) {
    const std::size_t begin = what.find("syntax error");
    what = begin == std::string_view::npos ? what : what.substr(begin);
    const std::size_t read = what.find("; last read: ");
    const std::size_t expected = what.rfind("; expected ");
    std::string detail(what.substr(0, read));
    if (read != std::string_view::npos && expected != std::string_view::npos && expected > read) {
        detail += what.substr(expected);
    }
    return detail;
}

SettingsError syntax_error(std::string_view text, const Json::parse_error& bad) {
    const std::size_t at = bad.byte == 0 ? 0 : std::min(bad.byte - 1, text.size());
    SettingsError error;
    error.line = 1;
    error.column = 1;
    for (const char c : text.substr(0, at)) {
        ++error.column;
        if (c == '\n') {
            ++error.line;
            error.column = 1;
        }
    }
    error.found = at < text.size()
                      ? fmt::format("{}",
                                    Json(std::string(1, text[at]))
                                        .dump(-1, ' ', true, Json::error_handler_t::replace))
                      : "the end of the file";
    error.reason = "not JSON: " + detail_of(bad.what());
    error.remedy = "mend the file at this place";
    return error;
}

}  // namespace

std::optional<Json> parse_document(std::string_view text, std::vector<SettingsError>& errors) {
    try {
        ParseGuard guard(errors);
        Json document = Json::parse(text, std::ref(guard));
        return guard.too_deep() ? std::nullopt : std::optional(std::move(document));
    } catch (const Json::parse_error& bad) {
        errors = {syntax_error(text, bad)};
    } catch (const Json::exception& bad) {
        SettingsError error;
        error.found = "the file";
        error.reason = bad.what();
        error.remedy = "mend the file";
        errors = {error};
    }
    return std::nullopt;
}

}  // namespace jw::settings
