// SPDX-License-Identifier: Apache-2.0
// Rings of means.
#include "host/http/recent.h"

#include <algorithm>

namespace jw::http {
namespace {

constexpr std::int64_t absent = INT64_MIN;

std::int64_t step_of(Instant now) {
    return now.us / Recent::step.us;
}

std::size_t place_of(std::int64_t step) {
    return static_cast<std::size_t>(step % static_cast<std::int64_t>(Recent::steps));
}

std::uint64_t key_of(std::size_t device, Quantity quantity, std::uint8_t index) {
    return static_cast<std::uint64_t>(device) << 24 | static_cast<std::uint64_t>(quantity) << 8 |
           index;
}

}  // namespace

Recent::Recent(std::size_t series_max)
    : series_max_(series_max),
      values_(std::make_unique_for_overwrite<std::int64_t[]>(series_max * steps)) {
    series_.reserve(series_max);
}

const Recent::Series* Recent::find_series(std::size_t device,
                                          Quantity quantity,
                                          std::uint8_t index) const {
    const auto found = places_.find(key_of(device, quantity, index));
    return found == places_.end() ? nullptr : &series_[found->second];
}

std::int64_t* Recent::ring(const Series& series) const {
    return values_.get() + static_cast<std::size_t>(&series - series_.data()) * steps;
}

std::int64_t Recent::mean(const Series& series) {
    if (info(series.quantity).behaviour != Behaviour::gauge) {
        return series.last;
    }
    // Rounded half away from zero without a sum that could leave the type.
    const std::int64_t whole = series.sum / series.count;
    const std::int64_t twice_rest = series.sum % series.count * 2;
    if (twice_rest >= series.count) {
        return whole + 1;
    }
    return twice_rest <= -series.count ? whole - 1 : whole;
}

/// Ends the current step; steps in which nothing came stay absent.
void Recent::advance(Series& series, std::int64_t to) {
    std::int64_t* values = ring(series);
    values[place_of(series.current)] = series.count > 0 ? mean(series) : absent;
    const std::int64_t missed = std::min(to - series.current - 1, std::int64_t{steps});
    for (std::int64_t i = 1; i <= missed; ++i) {
        values[place_of(series.current + i)] = absent;
    }
    series.current = to;
    series.sum = 0;
    series.count = 0;
}

void Recent::add(std::size_t device, const Reading& reading, Instant now) {
    const std::int64_t step_now = step_of(now);
    std::size_t next = series_.size();
    for (const Value& value : reading.values) {
        // A device gives its values in the same order each time: the next one stands behind.
        const bool expected = next < series_.size() && series_[next].device == device &&
                              series_[next].quantity == value.quantity &&
                              series_[next].index == value.index;
        const Series* known =
            expected ? &series_[next] : find_series(device, value.quantity, value.index);
        if (known == nullptr) {
            if (series_.size() == series_max_) {
                ++left_out_;
                continue;
            }
            places_.emplace(key_of(device, value.quantity, value.index), series_.size());
            known = &series_.emplace_back(
                Series{device, value.quantity, value.index, step_now, step_now, 0, 0, 0});
        }
        next = static_cast<std::size_t>(known - series_.data());
        Series& series = series_[next++];
        if (step_now > series.current) {
            advance(series, step_now);
        }
        if (__builtin_add_overflow(series.sum, value.number, &series.sum)) {
            series.sum = value.number;
            series.count = 0;
        }
        series.last = value.number;
        ++series.count;
    }
}

std::optional<Recent::Means> Recent::find(std::size_t device,
                                          Quantity quantity,
                                          std::uint8_t index,
                                          Instant now) const {
    const Series* series = find_series(device, quantity, index);
    if (series == nullptr) {
        return std::nullopt;
    }
    const std::int64_t end = std::max(step_of(now), series->current);
    const std::int64_t begin = std::max(end - std::int64_t{steps}, series->first);
    Means means;
    means.to = Instant{} + step * end;
    for (std::int64_t at = begin; at < end; ++at) {
        std::int64_t value = absent;
        if (at == series->current && series->count > 0) {
            value = mean(*series);  // its step is over, but nothing has come since
        } else if (at < series->current && at + std::int64_t{steps} > series->current) {
            value = ring(*series)[place_of(at)];
        } else if (at < series->current) {
            value = absent;
        }
        means.values.push_back(value == absent ? std::nullopt : std::optional(value));
    }
    return means;
}

}  // namespace jw::http
