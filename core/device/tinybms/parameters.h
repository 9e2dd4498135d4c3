// SPDX-License-Identifier: Apache-2.0
#pragma once
// What may be written to a TinyBMS: its settings with a documented range, under the names of the
// table of registers, and three actions that are written as 1. Pure: nothing is sent here.
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/device/device.h"
#include "core/device/tinybms/frames.h"
#include "core/device/tinybms/pack_reading.h"
#include "core/device/tinybms/registers.h"

namespace jw::tinybms {

using SettingWords = std::span<const std::uint16_t, setting_words>;

/// One of them: a register, or an action where `what` is null.
struct Writable {
    const Register* what = nullptr;
    Reset action = Reset::events;
};

std::size_t writable_count();
/// In the order of their addresses, the actions behind them. Index below writable_count().
Writable writable_at(std::size_t index);
std::optional<Writable> writable_named(std::string_view name);

/// As Device::parameter(); without `words`, registers 300 to 343, it has no value.
Parameter describe(const Writable& which, const std::uint16_t* words);

/// How the words of the BMS would read, low word first. Errors: out_of_range; denied: cells would
/// no longer be cut off below empty and above full, in the order that the document demands, or it
/// moves a switch while more than 1 A flows or nobody knows what flows.
Result<std::uint32_t> words_for(const Writable& which,
                                std::int64_t value,
                                SettingWords words,
                                std::optional<std::int64_t> current_ma);

}  // namespace jw::tinybms
