// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the registers of a TinyBMS say of its pack, as values of a reading. Pure functions; a word
// that says "there is none" gives no value, one that cannot be gives none and is counted.
#include <cstdint>
#include <span>

#include "core/model/device_info.h"
#include "core/model/reading.h"

namespace jw::tinybms {

/// The registers that a live poll needs: 0 to 53. More behind them do no harm.
inline constexpr std::size_t live_words = 54;
inline constexpr std::uint16_t first_setting = 300;
inline constexpr std::size_t setting_words = 44;
inline constexpr std::uint16_t first_statistic = 100;
inline constexpr std::size_t statistic_words = 18;
inline constexpr std::uint16_t first_version = 500;
inline constexpr std::size_t version_words = 10;

inline constexpr std::uint16_t status_fault = 0x9B;

/// Where the cells are. A pack of fewer than 16 has them in the first registers by the document
/// (revision D, 4.1), and in the last ones on recorded hardware (14 cells in registers 2 to 15).
struct CellOrder {
    std::uint8_t series = 0;  // as set in register 307; 0: not read yet
    bool reversed = false;    // DeviceSettings::cells_reversed
    bool in_last = false;     // seen so; decides where zeros leave it open
};

/// Appends what a live poll gives; `words` begins with register 0 and has live_words at least.
/// Cells are numbered from 1 without the registers that no cell is wired to; one that reads 0 among
/// those that are wired is given as 0. Returns how many words were impossible.
unsigned put_live(std::span<const std::uint16_t> words, CellOrder& order, Values& out);

/// Appends what the BMS is set to; `words` begins with register 300. Its currents are the
/// cut-offs 317 and 318, its voltages are those of a cell.
unsigned put_settings(std::span<const std::uint16_t, setting_words> words, Values& out);

/// Appends the number of full charges as cycle_count; `words` begins with register 100.
void put_statistics(std::span<const std::uint16_t, statistic_words> words, Values& out);

/// Maker, model, version and serial; `words` begins with register 500.
void describe(std::span<const std::uint16_t, version_words> words, DeviceInfo& out);

}  // namespace jw::tinybms
