// SPDX-License-Identifier: Apache-2.0
#include "core/model/keep.h"

#include <algorithm>

#include "core/model/thinning.h"

namespace jw {
namespace {

// So many readings count in one mean; what comes after them no longer moves it. A device that is
// asked every 0.1 s gives fewer in 16 intervals of an hour.
constexpr std::uint32_t gathered_max = (1U << 21) - 1;
static_assert(number_most <= (INT64_MAX - gathered_max / 2) / gathered_max, "mean() fits");
static_assert(gathered_max >= thinning_steps.back().keep_every * 3600 * 10);

/// Mean with halves away from zero.
std::int64_t mean(std::int64_t sum, std::uint32_t count) {
    const std::int64_t half = static_cast<std::int64_t>(count) / 2;
    return (sum >= 0 ? sum + half : sum - half) / static_cast<std::int64_t>(count);
}

void gather(KeptValue& slot, const Value& value) {
    const bool first = slot.count == 0;
    slot.last = value;
    slot.least = first ? value.number : std::min(slot.least, value.number);
    slot.most = first ? value.number : std::max(slot.most, value.number);
    if (slot.count < gathered_max) {
        slot.sum = first ? value.number : slot.sum + value.number;
        ++slot.count;
    }
}

}  // namespace

KeptValue* Keep::slot_of(const Value& value) {
    for (KeptValue& known : values_) {
        if (known.last.quantity == value.quantity && known.last.index == value.index) {
            return &known;
        }
    }
    return values_.push({value, 0, value.number, value.number, 0}) ? &values_[values_.size() - 1]
                                                                   : nullptr;
}

/// Says whether a state changed.
bool Keep::gather_all(const Reading& reading) {
    bool state_changed = false;
    for (const Value& value : reading.values) {
        KeptValue* slot = possible(value.number) ? slot_of(value) : nullptr;
        if (slot == nullptr) {
            ++left_out_;
            continue;
        }
        const bool is_state = info(value.quantity).behaviour == Behaviour::state;
        state_changed = state_changed || (is_state && slot->last.number != value.number);
        gather(*slot, value);
    }
    return state_changed;
}

/// Of readings that are kept as they are: a change is to be seen when they no longer are.
void Keep::remember_states(const Reading& reading) {
    for (const Value& value : reading.values) {
        if (info(value.quantity).behaviour == Behaviour::state) {
            if (KeptValue* slot = slot_of(value); slot != nullptr) {
                slot->last = value;
            }
        }
    }
}

bool Keep::add(const Reading& reading, Instant now, Reading& kept, std::uint32_t every) {
    if (interval_.us == 0 && every == 1 && ended_ == 0) {
        remember_states(reading);
        kept = reading;
        return true;
    }
    device_ = reading.device;
    if (ends_.us < 0) {
        ends_ = now + interval_;
    }
    const bool state_changed = gather_all(reading);
    const bool ended = now >= ends_;
    if (!state_changed && !ended) {
        return false;
    }
    const bool now_due = ended_ + 1 >= every;
    if (ended) {
        ended_ = now_due ? 0 : ended_ + 1;
    }
    // Intervals keep their rhythm; after a long silence the next one starts now.
    while (ends_ <= now && now - ends_ < interval_ * 2) {
        ends_ = ends_ + interval_;
    }
    if (ends_ <= now) {
        ends_ = now + interval_;
    }
    if (!state_changed && !now_due) {
        ++thinned_;
        return false;
    }
    close(kept);
    return true;
}

bool Keep::flush(Reading& kept) {
    const bool gathered =
        std::any_of(values_.begin(), values_.end(), [](const KeptValue& v) { return v.count > 0; });
    if (gathered) {
        close(kept);
    }
    return gathered;
}

void Keep::close(Reading& kept) {
    kept.device = device_;
    kept.from_seq.reset();
    kept.values.clear();
    for (KeptValue& value : values_) {
        if (value.count == 0) {
            continue;  // absent in this interval
        }
        const Quantity quantity = value.last.quantity;
        const bool is_gauge = info(quantity).behaviour == Behaviour::gauge;
        kept.values.put(quantity,
                        value.last.index,
                        is_gauge ? mean(value.sum, value.count) : value.last.number);
        if (quantity == Quantity::power_w && value.count > 1) {
            kept.values.put(Quantity::power_min_w, value.last.index, value.least);
            kept.values.put(Quantity::power_max_w, value.last.index, value.most);
        }
        value.count = 0;
        value.sum = 0;
    }
}

}  // namespace jw
