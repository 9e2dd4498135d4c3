// SPDX-License-Identifier: Apache-2.0
// Every way in which a register map can be wrong is found, and the place is named.
#include "core/device/registers/register_map.h"

#include <array>

#include "core/base/test.h"

using namespace jw;
using namespace jw::registers;

namespace {

/// A map that is right, of which each test spoils one thing.
struct Draft {
    std::array<Block, 2> blocks{Block{Table::coil, 0, 1}, Block{Table::input, 10, 6}};
    std::array<Row, 3> rows{};
    RegisterMap map;

    Draft() {
        rows[0].quantity = Quantity::relay_closed;
        rows[0].table = Table::coil;
        rows[0].format = Format::bit;
        rows[0].write_function = 5;
        rows[0].most = 1;
        rows[1].quantity = Quantity::power_w;
        rows[1].table = Table::input;
        rows[1].address = 10;
        rows[1].format = Format::i32;
        rows[2].quantity = Quantity::voltage_mv;
        rows[2].table = Table::input;
        rows[2].address = 12;
        rows[2].multiply = 100;
    }
    bool has(Problem problem, Part part, std::uint16_t at) {
        map.blocks = blocks;
        map.rows = rows;
        const MapError error = validate(map);
        return error.problem == problem && error.part == part && error.at == at;
    }
};

}  // namespace

TEST(a_right_map_passes) {
    Draft draft;
    EXPECT(draft.has(Problem::none, Part::map, 0));
}

TEST(a_map_without_rows_or_with_too_many_is_refused) {
    RegisterMap map;
    EXPECT(validate(map).problem == Problem::no_rows);
    std::array<Row, 65> rows{};
    map.rows = rows;
    EXPECT(validate(map).problem == Problem::too_many_rows);
}

TEST(limits_of_blocks_are_checked) {
    Draft draft;
    draft.map.registers_per_read_max = 126;
    EXPECT(draft.has(Problem::too_many_per_read, Part::map, 0));
    draft.map.registers_per_read_max = 5;
    EXPECT(draft.has(Problem::block_too_long, Part::block, 1));
    draft = {};
    draft.blocks[1] = {Table::input, 10, 126};
    EXPECT(draft.has(Problem::block_too_long, Part::block, 1));
    draft = {};
    draft.blocks[0] = {Table::coil, 0, 2001};
    EXPECT(draft.has(Problem::block_too_long, Part::block, 0));
    draft = {};
    draft.rows[2].address = 65535;
    draft.blocks[1] = {Table::input, 65535, 2};
    draft.rows[1] = draft.rows[0];
    draft.rows[1].quantity = Quantity::connected;
    draft.rows[1].address = 1;
    draft.blocks[0].count = 2;
    EXPECT(draft.has(Problem::block_beyond_end, Part::block, 1));
}

TEST(blocks_must_be_sorted_used_and_not_empty) {
    Draft draft;
    draft.map.blocks = draft.blocks;
    std::swap(draft.blocks[0], draft.blocks[1]);
    EXPECT(draft.has(Problem::block_unsorted, Part::block, 1));
    draft = {};
    draft.blocks[0] = {Table::input, 10, 4};
    draft.blocks[1] = {Table::input, 13, 4};
    draft.rows[0] = draft.rows[1];
    draft.rows[1] = draft.rows[2];
    draft.rows[2].address = 13;
    draft.rows[2].quantity = Quantity::frequency_mhz;
    EXPECT(draft.has(Problem::block_unsorted, Part::block, 1));
    draft.blocks[1] = {Table::input, 20, 4};
    EXPECT(draft.has(Problem::block_unused, Part::block, 1));
    draft.blocks[1] = {Table::input, 20, 0};
    EXPECT(draft.has(Problem::block_empty, Part::block, 1));
}

TEST(rows_must_be_sorted_apart_and_whole_inside_a_block) {
    Draft draft;
    draft.rows[2].address = 9;
    EXPECT(draft.has(Problem::row_unsorted, Part::row, 2));
    draft = {};
    draft.rows[2].address = 11;
    EXPECT(draft.has(Problem::row_overlaps, Part::row, 2));
    draft = {};
    draft.rows[2].address = 16;
    EXPECT(draft.has(Problem::row_outside_blocks, Part::row, 2));
    draft = {};
    draft.rows[2].address = 15;
    draft.rows[2].format = Format::u32;
    EXPECT(draft.has(Problem::row_split_over_blocks, Part::row, 2));
    draft = {};
    draft.rows[2].scale_register = 15;
    EXPECT(draft.has(Problem::none, Part::map, 0));
    draft.rows[2].scale_register = 16;
    EXPECT(draft.has(Problem::scale_outside_block, Part::row, 2));
}

TEST(what_a_row_means_is_checked) {
    Draft draft;
    draft.rows[1].quantity = Quantity::none;
    EXPECT(draft.has(Problem::quantity_unknown, Part::row, 1));
    draft.rows[1].quantity = static_cast<Quantity>(60'000);
    EXPECT(draft.has(Problem::quantity_unknown, Part::row, 1));
    draft.rows[1].quantity = Quantity::voltage_mv;
    EXPECT(draft.has(Problem::quantity_twice, Part::row, 2));
    draft = {};
    draft.rows[1].format = Format::bit;
    EXPECT(draft.has(Problem::format_of_other_table, Part::row, 1));
    draft = {};
    draft.rows[1].multiply = 0;
    EXPECT(draft.has(Problem::multiply_range, Part::row, 1));
    draft = {};
    draft.rows[1].divide = 0;
    EXPECT(draft.has(Problem::divide_range, Part::row, 1));
    draft = {};
    draft.rows[1].sign = 0;
    EXPECT(draft.has(Problem::sign_unknown, Part::row, 1));
    draft = {};
    const std::uint64_t patterns[] = {0xFFFF, 0x1'0000};
    draft.rows[2].absent = patterns;
    EXPECT(draft.has(Problem::absent_too_wide, Part::row, 2));
}

TEST(what_can_be_set_is_checked) {
    Draft draft;
    draft.rows[0].write_function = 15;
    EXPECT(draft.has(Problem::write_function_unknown, Part::row, 0));
    draft.rows[0].write_function = 6;
    EXPECT(draft.has(Problem::write_of_format, Part::row, 0));
    draft = {};
    draft.rows[1].write_function = 16;
    EXPECT(draft.has(Problem::write_of_input, Part::row, 1));
    draft = {};
    draft.rows[0].least = 2;
    EXPECT(draft.has(Problem::write_range_empty, Part::row, 0));
    draft = {};
    draft.rows[0].most = 2;
    EXPECT(draft.has(Problem::write_range_beyond_format, Part::row, 0));
    draft = {};
    draft.blocks[1].table = Table::holding;
    draft.rows[1].table = draft.rows[2].table = Table::holding;
    draft.rows[2].write_function = 6;
    draft.rows[2].most = 6'553'500;
    EXPECT(draft.has(Problem::none, Part::map, 0));
    draft.rows[2].most = 6'553'600;
    EXPECT(draft.has(Problem::write_range_beyond_format, Part::row, 2));
    draft.rows[2].most = INT64_MAX;
    EXPECT(draft.has(Problem::write_range_beyond_format, Part::row, 2));
    draft.rows[2].most = 1000;
    draft.rows[2].scale_register = 13;
    EXPECT(draft.has(Problem::write_with_scale, Part::row, 2));
}

TEST(what_a_device_says_of_itself_is_checked) {
    Draft draft;
    draft.map.serial = {Identity::Kind::number, {}, Table::holding, 0, 3};
    EXPECT(draft.has(Problem::identity_size, Part::serial, 0));
    draft.map.serial = {};
    draft.map.model = {Identity::Kind::text, {}, Table::holding, 0, 17};
    EXPECT(draft.has(Problem::identity_size, Part::model, 0));
    draft.map.model = {Identity::Kind::text, {}, Table::coil, 0, 16};
    EXPECT(draft.has(Problem::identity_of_bits, Part::model, 0));
}

TEST(every_problem_has_a_text_of_its_own) {
    for (int i = 0; i <= static_cast<int>(Problem::identity_of_bits); ++i) {
        EXPECT(problem_text(static_cast<Problem>(i)) != "unknown");
        for (int j = 0; j < i; ++j) {
            EXPECT(problem_text(static_cast<Problem>(i)) != problem_text(static_cast<Problem>(j)));
        }
    }
}
