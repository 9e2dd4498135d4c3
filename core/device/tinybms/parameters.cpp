// SPDX-License-Identifier: Apache-2.0
// The whitelist is the table of registers; order and switches have their own rules.
#include "core/device/tinybms/parameters.h"

#include <algorithm>
#include <array>

#include "core/base/check.h"

namespace jw::tinybms {
namespace {

struct Action {
    Reset reset;
    const char* name;
};
constexpr Action actions[] = {
    {Reset::bms, "restart"},
    {Reset::events, "clear_events"},
    {Reset::statistics, "clear_statistics"},
};

// Rising: cut off, empty, full, cut off (user manual, revision D).
constexpr std::uint16_t cell_order[] = {316, 301, 300, 315};

// What says which pins and transistors carry or sense the current. 329 can silence the check of the
// switches.
constexpr std::uint16_t switches[] = {329, 331, 333, 334, 335, 337, 338, 340, 341};
constexpr std::int64_t switching_most_ma = 1000;

bool is_listed(const Register& what) {
    return what.writable && what.least < what.most;
}

bool moves_switch(const Writable& which) {
    if (which.what == nullptr) {
        return which.action == Reset::bms;
    }
    return std::find(std::begin(switches), std::end(switches), which.what->address) !=
           std::end(switches);
}

bool keeps_order(std::uint16_t address, std::uint16_t word, SettingWords words) {
    std::int32_t below = -1;
    for (const std::uint16_t row : cell_order) {
        const std::int32_t mv = row == address ? word : words[row - first_setting];
        if (mv <= below) {
            return false;
        }
        below = mv;
    }
    return true;
}

}  // namespace

std::size_t writable_count() {
    const auto all = registers();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), is_listed)) +
           std::size(actions);
}

Writable writable_at(std::size_t index) {
    for (const Register& row : registers()) {
        if (is_listed(row) && index-- == 0) {
            return {&row};
        }
    }
    CHECK(index < std::size(actions));
    return {nullptr, actions[index].reset};
}

std::optional<Writable> writable_named(std::string_view name) {
    for (const Action& action : actions) {
        if (name == action.name) {
            return Writable{nullptr, action.reset};
        }
    }
    for (const Register& row : registers()) {
        if (is_listed(row) && name == row.name) {
            return Writable{&row};
        }
    }
    return std::nullopt;
}

Parameter describe(const Writable& which, const std::uint16_t* words) {
    Parameter parameter;
    parameter.writable = true;
    if (which.what == nullptr) {
        const auto* const action =
            std::find_if(std::begin(actions), std::end(actions), [&which](const Action& row) {
                return row.reset == which.action;
            });
        parameter.name = action->name;
        parameter.least = 1;
        parameter.most = 1;
        return parameter;
    }
    const Register& what = *which.what;
    parameter.name = what.name;
    parameter.unit = what.unit;
    parameter.decimals = what.decimals;
    parameter.least = std::int64_t{what.least} * what.multiply;
    parameter.most = std::int64_t{what.most} * what.multiply;
    if (words != nullptr) {
        const std::span<const std::uint16_t> own(words + (what.address - first_setting),
                                                 words_of(what.type));
        const auto value = value_of(what, own);
        parameter.value = value ? std::optional(value->number) : std::nullopt;
    }
    return parameter;
}

Result<std::uint32_t> words_for(const Writable& which,
                                std::int64_t value,
                                SettingWords words,
                                std::optional<std::int64_t> current_ma) {
    const Parameter parameter = describe(which, nullptr);
    const std::int64_t step = which.what == nullptr ? 1 : which.what->multiply;
    if (value < parameter.least || value > parameter.most || value % step != 0) {
        return JW_FAIL(out_of_range);
    }
    if (moves_switch(which) &&
        (!current_ma || *current_ma > switching_most_ma || *current_ma < -switching_most_ma)) {
        return JW_FAIL(denied);
    }
    if (which.what == nullptr) {
        return std::uint32_t{0};
    }
    const Register& what = *which.what;
    auto raw = static_cast<std::uint32_t>(value / step);
    if (words_of(what.type) == 1) {
        raw &= 0xFFFFU;
    }
    if (what.type == Type::u8) {
        raw |= words[what.address - first_setting] & 0xFF00U;  // not ours to change
    }
    const bool ordered = std::find(std::begin(cell_order), std::end(cell_order), what.address) ==
                             std::end(cell_order) ||
                         keeps_order(what.address, static_cast<std::uint16_t>(raw), words);
    if (!ordered) {
        return JW_FAIL(denied);
    }
    return raw;
}

}  // namespace jw::tinybms
