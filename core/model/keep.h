// SPDX-License-Identifier: Apache-2.0
#pragma once
// Keep: the one rule between model and outbox. Of the readings of an interval one is kept: counters
// with their last value, gauges with their mean under their own name, power also with its extremes;
// a state that changed is kept at once. Thinned, of several intervals one record is made by the
// same rule.
#include <cstdint>
#include <span>

#include "core/base/list.h"
#include "core/base/time.h"
#include "core/model/reading.h"

namespace jw {

/// What has been gathered of one value in the running interval.
struct KeptValue {
    Value last;
    std::int64_t sum = 0;  // of gauges
    std::int64_t least = 0;
    std::int64_t most = 0;
    std::uint32_t count = 0;
};

/// Gathers the readings of one device. Memory belongs to the caller; what has no room is left out
/// and counted.
class Keep {
  public:
    Keep() = default;
    /// `interval` 0 keeps every reading as it is.
    Keep(std::span<KeptValue> storage, Duration interval) : values_(storage), interval_(interval) {}

    /// Adds a reading. True when `kept` is now to be stored: the interval is over (also when this
    /// reading is the first one after it), or a state changed. Of intervals that end only every
    /// `every`th is stored; with an interval of 0 each reading ends one.
    bool add(const Reading& reading, Instant now, Reading& kept, std::uint32_t every = 1);
    /// Ends the interval early (stop, reload). False where nothing was gathered.
    bool flush(Reading& kept);
    [[nodiscard]] std::uint32_t left_out() const { return left_out_; }
    /// Records less than there had been if every interval had made one.
    [[nodiscard]] std::uint64_t thinned() const { return thinned_; }

  private:
    KeptValue* slot_of(const Value& value);
    bool gather_all(const Reading& reading);
    void remember_states(const Reading& reading);
    void close(Reading& kept);

    List<KeptValue> values_;
    Name device_;
    Duration interval_;
    Instant ends_{-1};
    std::uint32_t left_out_ = 0;
    std::uint32_t ended_ = 0;  // intervals since one made a record; below `every`
    std::uint64_t thinned_ = 0;
};

}  // namespace jw
