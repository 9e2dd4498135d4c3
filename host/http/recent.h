// SPDX-License-Identifier: Apache-2.0
#pragma once
// Recent: the last hour of every value in RAM, as means of ten seconds, for the charts of the page.
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/base/time.h"
#include "core/model/reading.h"

namespace jw::http {

/// Memory is fixed: 2 880 bytes for each of `series_max` values, touched when a value first comes.
/// Values beyond are left out and counted.
class Recent {
  public:
    static constexpr std::size_t steps = 360;
    static constexpr Duration step = seconds(10);

    explicit Recent(std::size_t series_max);

    void add(std::size_t device, const Reading& reading, Instant now);

    struct Means {
        std::vector<std::optional<std::int64_t>> values;  // oldest first; at most `steps`
        Instant to;                                       // end of the last one
    };
    /// The finished steps since the value first came; nothing where it never came.
    [[nodiscard]] std::optional<Means> find(std::size_t device,
                                            Quantity quantity,
                                            std::uint8_t index,
                                            Instant now) const;
    [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

  private:
    struct Series {
        std::size_t device = 0;
        Quantity quantity = Quantity::none;
        std::uint8_t index = 0;
        std::int64_t first = 0;    // number of the first step ever
        std::int64_t current = 0;  // number of the step that is being gathered
        std::int64_t sum = 0;
        std::int64_t last = 0;
        std::int64_t count = 0;
    };
    [[nodiscard]] const Series* find_series(std::size_t device,
                                            Quantity quantity,
                                            std::uint8_t index) const;
    [[nodiscard]] std::int64_t* ring(const Series& series) const;
    void advance(Series& series, std::int64_t to);
    [[nodiscard]] static std::int64_t mean(const Series& series);

    std::vector<Series> series_;
    std::unordered_map<std::uint64_t, std::size_t> places_;  // by device, quantity and index
    std::size_t series_max_;
    std::unique_ptr<std::int64_t[]> values_;
    std::uint64_t left_out_ = 0;
};

}  // namespace jw::http
