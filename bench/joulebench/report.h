// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a bench found: one row a claim, as a table for people and as JSON for ./bench.
#include <optional>
#include <string>
#include <vector>

namespace jw::bench {

/// Of several repetitions; paired ratios are taken within each.
struct Spread {
    double median = 0;
    double min = 0;
    double max = 0;
};
Spread spread_of(std::vector<double> values);

struct Row {
    std::string what;
    std::string beside;
    double figure = 0;
    std::string unit;
    std::optional<Spread> ratio;
    std::string least;
    bool reached = false;
    std::string note;
};

std::string table_of(const std::vector<Row>& rows);
/// {"rows":[…]}
std::string json_of(const std::vector<Row>& rows);

/// The value below which `share` of them lie; 0 where there are none.
double quantile(std::vector<double> values, double share);

}  // namespace jw::bench
