// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reading: the values that one device gave at one instant. Every driver makes these, every sink
// takes them.
#include <cstdint>
#include <span>

#include "core/base/fields.h"
#include "core/base/limits.h"
#include "core/base/list.h"
#include "core/base/result.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/quantity.h"

namespace jw {

class Reader;
class Writer;

using Name = FixedText<limits::name_size_max>;

/// More than any device means: 4.4 TW, or 4.4 TWh. What is beyond comes of a broken device or link;
/// within, two million numbers have a sum in 64 bits, and every JSON reader takes them exactly.
inline constexpr std::int64_t number_most = std::int64_t{1} << 42;
constexpr bool possible(std::int64_t number) {
    return number >= -number_most && number <= number_most;
}

/// One value, keyed by quantity and index (0 is the whole, 1… a phase, cell, string or tariff).
struct Value {
    Quantity quantity = Quantity::none;
    std::uint8_t index = 0;
    std::int64_t number = 0;
    friend constexpr bool operator==(const Value&, const Value&) = default;
};

/// The values of a reading; a value that the device does not have or marks as invalid is absent.
/// CBOR: an array of three numbers a value (quantity, index, number). JSON: members named by
/// put_name(), cells as one array with null for an absent cell.
class Values : public FixedList<Value, limits::values_per_reading_max> {
  public:
    /// Appends, or leaves the value out where there is no room or no device can mean the number; a
    /// driver's own table is checked against the bound when it is built.
    void put(Quantity quantity, std::uint8_t index, std::int64_t number) {
        left_out_ += possible(number) && push(Value{quantity, index, number}) ? 0U : 1U;
    }
    void clear() {
        FixedList::clear();
        left_out_ = 0;
    }
    /// How many values had no room or were impossible since clear().
    [[nodiscard]] std::uint32_t left_out() const { return left_out_; }
    /// The value of that key, or null.
    [[nodiscard]] const Value* find(Quantity quantity, std::uint8_t index = 0) const;

    void to_json(Text& out, bool& first) const;
    void to_cbor(Writer& out) const;
    Status from_cbor(Reader& in);
    [[nodiscard]] bool present() const { return !empty(); }

  private:
    std::uint32_t left_out_ = 0;
};

struct Reading {
    Name device;
    /// Identities of the first record that a widened reading covers; absent in an ordinary one.
    std::optional<std::uint64_t> from_seq;
    Values values;

    static constexpr auto fields() {
        return Fields{Field{1, "device", &Reading::device, "name of the device in the settings"},
                      Field{2, "from_seq", &Reading::from_seq, "first record that this one covers"},
                      Field{3, "values", &Reading::values, "quantity, index, number, repeated"}};
    }
};

/// What a driver hands its readings to.
class ReadingOut {
  public:
    virtual void put(const Reading& reading, Instant now) = 0;

  protected:
    ~ReadingOut() = default;
};

}  // namespace jw
