// SPDX-License-Identifier: Apache-2.0
#pragma once
// RegisterMap: a device described as data. devices/*.json are compiled to these, others are loaded
// at run time; both pass the same validate(). docs/formats/devices.md explains every member.
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/limits.h"
#include "core/model/quantity.h"

namespace jw::registers {

/// The four tables of Modbus (V1.1b3, 4.3); the number is the function that reads it.
enum class Table : std::uint8_t { coil = 1, discrete_input = 2, holding = 3, input = 4 };

constexpr bool of_bits(Table table) {
    return table == Table::coil || table == Table::discrete_input;
}

enum class Format : std::uint8_t { bit, u16, i16, u32, i32, u64, i64, f32, f64 };

/// Registers (or bits) that a value takes.
constexpr std::uint16_t format_size(Format format) {
    constexpr std::uint16_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 2, 4};
    return sizes[static_cast<std::uint8_t>(format)];
}

/// How the bytes of a value stand on the wire, A being the highest: abcd is what Modbus means,
/// cdab has the low register first, badc and dcba have the bytes of each register turned as well.
enum class WordOrder : std::uint8_t { abcd, cdab, badc, dcba };

/// Registers that are read with one question.
struct Block {
    Table table = Table::holding;
    std::uint16_t start = 0;
    std::uint16_t count = 0;
};

inline constexpr std::int32_t no_register = -1;

/// Of multiply and divide: with a power of ten of 10 the product stays below 2^64.
inline constexpr std::uint32_t factor_most = 1'000'000'000;

/// One value. In units of the quantity it is register × 10^(scale register) × multiply / divide ×
/// sign, rounded half away from zero.
struct Row {
    Quantity quantity = Quantity::none;
    std::uint8_t index = 0;
    Table table = Table::holding;
    std::uint16_t address = 0;  // as on the wire, from 0
    Format format = Format::u16;
    WordOrder order = WordOrder::abcd;
    std::uint32_t multiply = 1;
    std::uint32_t divide = 1;
    std::int8_t sign = 1;
    /// Register of the same block that holds the power of ten (i16, -10…10, else absent).
    std::int32_t scale_register = no_register;
    /// Bit patterns that mean "no value". NaN and infinity mean it anyway.
    std::span<const std::uint64_t> absent{};
    /// Function that sets it: 5, 6 or 16; 0: it is only read.
    std::uint8_t write_function = 0;
    std::int64_t least = 0;  // of what may be set, in units of the quantity
    std::int64_t most = 0;
};

/// Something that the device says of itself: a constant, or registers that are read once.
struct Identity {
    enum class Kind : std::uint8_t { constant, text, number };
    Kind kind = Kind::constant;
    std::string_view constant{};
    Table table = Table::holding;
    std::uint16_t start = 0;
    std::uint16_t count = 0;  // text: up to 16 registers; number: 1, 2 or 4
};

struct RegisterMap {
    std::string_view name;  // of the driver
    Identity maker;
    Identity model;
    Identity version;
    Identity serial;
    /// Most registers that the device answers at once.
    std::uint16_t registers_per_read_max = limits::modbus_registers_per_read_max;
    std::span<const Block> blocks;  // by table, then start
    std::span<const Row> rows;      // by table, then address
};

enum class Problem : std::uint8_t {
    none,
    no_rows,
    too_many_rows,
    too_many_per_read,
    block_empty,
    block_too_long,
    block_beyond_end,
    block_unsorted,
    block_unused,
    row_unsorted,
    row_overlaps,
    row_outside_blocks,
    row_split_over_blocks,
    quantity_unknown,
    quantity_twice,
    format_of_other_table,
    multiply_range,
    divide_range,
    sign_unknown,
    scale_outside_block,
    absent_too_wide,
    write_function_unknown,
    write_of_input,
    write_of_format,
    write_with_scale,
    write_range_empty,
    write_range_beyond_format,
    identity_size,
    identity_of_bits,
};

/// What is wrong, as the end of a sentence: "row 3: its value is split over two blocks".
std::string_view problem_text(Problem problem);

enum class Part : std::uint8_t { map, block, row, maker, model, version, serial };

/// Where and why; problem none where all is well.
struct MapError {
    Problem problem = Problem::none;
    Part part = Part::map;
    std::uint16_t at = 0;  // number of the block or row, from 0
};

namespace check {

/// Bits of a format's whole range.
constexpr unsigned format_bits(Format format) {
    return format == Format::bit ? 1U : 16U * format_size(format);
}

constexpr bool inside(const Block& block, Table table, std::uint32_t start, std::uint32_t count) {
    return block.table == table && start >= block.start &&
           start + count <= static_cast<std::uint32_t>(block.start) + block.count;
}

/// Place in the map's order: the table first, then the address.
constexpr std::uint32_t place(Table table, std::uint32_t address) {
    return (static_cast<std::uint32_t>(table) << 20) + address;
}

constexpr Problem of_block(const RegisterMap& map, std::size_t at) {
    const Block& block = map.blocks[at];
    const std::size_t most =
        of_bits(block.table) ? limits::modbus_bits_per_read_max : map.registers_per_read_max;
    if (block.count == 0) {
        return Problem::block_empty;
    }
    if (block.count > most) {
        return Problem::block_too_long;
    }
    if (static_cast<std::uint32_t>(block.start) + block.count > 0x10000) {
        return Problem::block_beyond_end;
    }
    if (at > 0) {
        const Block& before = map.blocks[at - 1];
        if (place(before.table, before.start) + before.count > place(block.table, block.start)) {
            return Problem::block_unsorted;
        }
    }
    for (const Row& row : map.rows) {
        if (inside(block, row.table, row.address, 1)) {
            return Problem::none;
        }
    }
    return Problem::block_unused;
}

constexpr Problem of_place(const RegisterMap& map, std::size_t at) {
    const Row& row = map.rows[at];
    if (at > 0) {
        const Row& before = map.rows[at - 1];
        if (place(before.table, before.address) > place(row.table, row.address)) {
            return Problem::row_unsorted;
        }
        if (place(before.table, before.address) + format_size(before.format) >
            place(row.table, row.address)) {
            return Problem::row_overlaps;
        }
    }
    for (const Block& block : map.blocks) {
        if (!inside(block, row.table, row.address, 1)) {
            continue;
        }
        if (!inside(block, row.table, row.address, format_size(row.format))) {
            return Problem::row_split_over_blocks;
        }
        if (row.scale_register != no_register &&
            (of_bits(row.table) || row.scale_register < 0 ||
             !inside(block, row.table, static_cast<std::uint32_t>(row.scale_register), 1))) {
            return Problem::scale_outside_block;
        }
        return Problem::none;
    }
    return Problem::row_outside_blocks;
}

constexpr Problem of_meaning(const RegisterMap& map, std::size_t at) {
    const Row& row = map.rows[at];
    if (row.quantity == Quantity::none || row.quantity > quantity_last) {
        return Problem::quantity_unknown;
    }
    for (std::size_t i = 0; i < at; ++i) {
        if (map.rows[i].quantity == row.quantity && map.rows[i].index == row.index) {
            return Problem::quantity_twice;
        }
    }
    if (of_bits(row.table) != (row.format == Format::bit)) {
        return Problem::format_of_other_table;
    }
    if (row.multiply == 0 || row.multiply > factor_most) {
        return Problem::multiply_range;
    }
    if (row.divide == 0 || row.divide > factor_most) {
        return Problem::divide_range;
    }
    if (row.sign != 1 && row.sign != -1) {
        return Problem::sign_unknown;
    }
    const unsigned bits = format_bits(row.format);
    for (const std::uint64_t pattern : row.absent) {
        if (bits < 64 && (pattern >> bits) != 0) {
            return Problem::absent_too_wide;
        }
    }
    return Problem::none;
}

/// Whether `value` in units of the quantity can stand in the register. Rounding is left out; the
/// engine refuses the last bit.
constexpr bool fits(const Row& row, std::int64_t value) {
    constexpr std::int64_t far = INT64_MAX / 4;
    if (value > far / row.divide || value < -(far / row.divide)) {
        return false;
    }
    const std::int64_t raw = value * row.divide / row.multiply * row.sign;
    const unsigned bits = format_bits(row.format);
    const bool is_signed = row.format == Format::i16 || row.format == Format::i32;
    if (row.format == Format::i64) {
        return true;
    }
    if (bits >= 63) {
        return raw >= 0;
    }
    const std::int64_t most = (std::int64_t{1} << (is_signed ? bits - 1 : bits)) - 1;
    return raw <= most && raw >= (is_signed ? -most - 1 : 0);
}

constexpr Problem of_writing(const Row& row) {
    const std::uint8_t function = row.write_function;
    if (function == 0) {
        return Problem::none;
    }
    if (function != 5 && function != 6 && function != 16) {
        return Problem::write_function_unknown;
    }
    if (row.table != Table::coil && row.table != Table::holding) {
        return Problem::write_of_input;
    }
    if ((function == 5) != (row.table == Table::coil) ||
        (function == 6 && format_size(row.format) != 1) || row.format == Format::f32 ||
        row.format == Format::f64) {
        return Problem::write_of_format;
    }
    if (row.scale_register != no_register) {
        return Problem::write_with_scale;
    }
    if (row.least > row.most) {
        return Problem::write_range_empty;
    }
    return fits(row, row.least) && fits(row, row.most) ? Problem::none
                                                       : Problem::write_range_beyond_format;
}

constexpr Problem of_identity(const Identity& identity) {
    const std::uint16_t count = identity.count;
    switch (identity.kind) {
        case Identity::Kind::constant:
            return Problem::none;
        case Identity::Kind::text:
            if (count == 0 || count > 16) {
                return Problem::identity_size;
            }
            break;
        case Identity::Kind::number:
            if (count != 1 && count != 2 && count != 4) {
                return Problem::identity_size;
            }
            break;
    }
    return of_bits(identity.table) ? Problem::identity_of_bits : Problem::none;
}

}  // namespace check

/// The first thing that is wrong with a map. An engine takes only maps that pass.
constexpr MapError validate(const RegisterMap& map) {
    if (map.rows.empty()) {
        return {Problem::no_rows, Part::map, 0};
    }
    if (map.rows.size() > limits::values_per_reading_max) {
        return {Problem::too_many_rows, Part::map, 0};
    }
    if (map.registers_per_read_max == 0 ||
        map.registers_per_read_max > limits::modbus_registers_per_read_max) {
        return {Problem::too_many_per_read, Part::map, 0};
    }
    // Rows first: what they say of blocks names the row, which is what somebody wrote wrongly.
    for (std::size_t i = 0; i < map.rows.size(); ++i) {
        for (const Problem problem : {check::of_place(map, i), check::of_meaning(map, i)}) {
            if (problem != Problem::none) {
                return {problem, Part::row, static_cast<std::uint16_t>(i)};
            }
        }
        if (const Problem problem = check::of_writing(map.rows[i]); problem != Problem::none) {
            return {problem, Part::row, static_cast<std::uint16_t>(i)};
        }
    }
    for (std::size_t i = 0; i < map.blocks.size(); ++i) {
        if (const Problem problem = check::of_block(map, i); problem != Problem::none) {
            return {problem, Part::block, static_cast<std::uint16_t>(i)};
        }
    }
    const struct {
        const Identity& identity;
        Part part;
    } identities[] = {{map.maker, Part::maker},
                      {map.model, Part::model},
                      {map.version, Part::version},
                      {map.serial, Part::serial}};
    for (const auto& [identity, part] : identities) {
        if (const Problem problem = check::of_identity(identity); problem != Problem::none) {
            return {problem, part, 0};
        }
    }
    return {};
}

}  // namespace jw::registers
