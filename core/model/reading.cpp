// SPDX-License-Identifier: Apache-2.0
#include "core/model/reading.h"

#include <algorithm>

#include "core/base/cbor.h"
#include "core/base/json.h"

namespace jw {

const Value* Values::find(Quantity quantity, std::uint8_t index) const {
    for (const Value& value : *this) {
        if (value.quantity == quantity && value.index == index) {
            return &value;
        }
    }
    return nullptr;
}

namespace {

/// Cells of one quantity in the order of their index; an absent cell is null.
void put_cells(const Values& values, Quantity quantity, Text& out, bool& first) {
    std::uint8_t highest = 0;
    for (const Value& value : values) {
        if (value.quantity == quantity && value.index > highest) {
            highest = value.index;
        }
    }
    if (!first) {
        out.put(',');
    }
    first = false;
    out.put('"');
    put_name(quantity, 0, out);
    out.put("\":[");
    for (unsigned index = 1; index <= highest; ++index) {
        if (index > 1) {
            out.put(',');
        }
        if (const Value* value = values.find(quantity, static_cast<std::uint8_t>(index))) {
            out.put(value->number);
        } else {
            out.put("null");
        }
    }
    out.put(']');
}

/// The whole beside its cells: their array has the name already.
bool is_whole_of_cells(const Values& values, const Value& value) {
    return info(value.quantity).indexed == Indexed::cell && value.index == 0 &&
           std::any_of(values.begin(), values.end(), [&](const Value& other) {
               return other.quantity == value.quantity && other.index != 0;
           });
}

}  // namespace

void Values::to_json(Text& out, bool& first) const {
    for (const Value& value : *this) {
        if (info(value.quantity).indexed == Indexed::cell && value.index != 0) {
            // The first cell met writes all of them.
            bool written = false;
            for (const Value* earlier = begin(); earlier != &value; ++earlier) {
                written = written || (earlier->quantity == value.quantity && earlier->index != 0);
            }
            if (!written) {
                put_cells(*this, value.quantity, out, first);
            }
        } else {
            if (!first) {
                out.put(',');
            }
            first = false;
            out.put('"');
            if (is_whole_of_cells(*this, value)) {
                out.put(info(value.quantity).stem).put("_c0_").put(info(value.quantity).unit);
            } else {
                put_name(value.quantity, value.index, out);
            }
            out.put("\":").put(value.number);
        }
    }
}

void Values::to_cbor(Writer& out) const {
    cbor::put_head(out, cbor::Major::array, size() * 3);
    for (const Value& value : *this) {
        cbor::put_head(out, cbor::Major::number, static_cast<std::uint16_t>(value.quantity));
        cbor::put_head(out, cbor::Major::number, value.index);
        cbor::put_int(out, value.number);
    }
}

Status Values::from_cbor(Reader& in) {
    const auto head = cbor::take_head(in);
    if (!head) {
        return head.error();
    }
    if (head->major != cbor::Major::array || head->argument % 3 != 0) {
        return JW_FAIL(malformed);
    }
    if (head->argument / 3 > capacity()) {
        return JW_FAIL(out_of_range);
    }
    clear();
    for (std::uint64_t i = 0; i < head->argument / 3; ++i) {
        const auto quantity = cbor::take_unsigned(in);
        if (!quantity) {
            return quantity.error();
        }
        const auto index = cbor::take_unsigned(in);
        if (!index) {
            return index.error();
        }
        const auto number = cbor::take_int(in);
        if (!number) {
            return number.error();
        }
        if (*quantity > 0xFFFF || *index > 0xFF) {
            return JW_FAIL(out_of_range);
        }
        put(static_cast<Quantity>(*quantity), static_cast<std::uint8_t>(*index), *number);
    }
    return done;
}

}  // namespace jw
