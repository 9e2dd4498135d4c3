// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a register map, in words.
#include "core/device/registers/register_map.h"

namespace jw::registers {

std::string_view problem_text(Problem problem) {
    switch (problem) {
        case Problem::none:
            return "nothing is wrong";
        case Problem::no_rows:
            return "it has no rows";
        case Problem::too_many_rows:
            return "it has more rows than a reading holds values (64)";
        case Problem::too_many_per_read:
            return "registers per read must be 1 to 125";
        case Problem::block_empty:
            return "its count is 0";
        case Problem::block_too_long:
            return "its count is more than one question may ask for";
        case Problem::block_beyond_end:
            return "it goes beyond address 65535";
        case Problem::block_unsorted:
            return "it begins before the end of the one above (order: table, then start)";
        case Problem::block_unused:
            return "no row lies in it";
        case Problem::row_unsorted:
            return "it stands behind a row of higher address (order: table, then address)";
        case Problem::row_overlaps:
            return "its registers overlap those of the row above";
        case Problem::row_outside_blocks:
            return "no block holds its address";
        case Problem::row_split_over_blocks:
            return "its value is split: the block ends inside it";
        case Problem::quantity_unknown:
            return "its quantity is not known";
        case Problem::quantity_twice:
            return "its quantity and index stand in an earlier row as well";
        case Problem::format_of_other_table:
            return "coils and discrete inputs have the format bit, registers any other";
        case Problem::multiply_range:
            return "multiply must be 1 to 1000000000";
        case Problem::divide_range:
            return "divide must be 1 to 1000000000";
        case Problem::sign_unknown:
            return "sign must be 1 or -1";
        case Problem::scale_outside_block:
            return "its scale register must be a register of the same block";
        case Problem::absent_too_wide:
            return "an absent pattern has more bits than its format";
        case Problem::write_function_unknown:
            return "the function that sets it must be 5, 6 or 16";
        case Problem::write_of_input:
            return "only coils and holding registers can be set";
        case Problem::write_of_format:
            return "the function does not fit: 5 sets a coil, 6 one register, 16 integers";
        case Problem::write_with_scale:
            return "a value with a scale register cannot be set";
        case Problem::write_range_empty:
            return "the least value that may be set is above the most";
        case Problem::write_range_beyond_format:
            return "the range that may be set does not fit into its format";
        case Problem::identity_size:
            return "a text takes 1 to 16 registers, a number 1, 2 or 4";
        case Problem::identity_of_bits:
            return "it must lie in registers, not in bits";
    }
    return "unknown";
}

}  // namespace jw::registers
