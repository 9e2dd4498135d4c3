// SPDX-License-Identifier: Apache-2.0
#include "bench/joulebench/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace jw::bench {

double quantile(std::vector<double> values, double share) {
    if (values.empty()) {
        return 0;
    }
    std::sort(values.begin(), values.end());
    const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size()));
    return values[std::min(at, values.size() - 1)];
}

Spread spread_of(std::vector<double> values) {
    if (values.empty()) {
        return {};
    }
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    const Spread ends{0, *least, *most};
    return {quantile(std::move(values), 0.5), ends.min, ends.max};
}

std::string table_of(const std::vector<Row>& rows) {
    std::string text;
    for (const Row& row : rows) {
        text += fmt::format(
            "{} {}: {:.3g} {}", row.reached ? "ok  " : "MISS", row.what, row.figure, row.unit);
        if (row.ratio) {
            text += fmt::format(", {:.3g} x ({:.3g} to {:.3g}) {}",
                                row.ratio->median,
                                row.ratio->min,
                                row.ratio->max,
                                row.beside);
        }
        text += fmt::format("; wanted: {}\n     {}\n", row.least, row.note);
    }
    return text;
}

std::string json_of(const std::vector<Row>& rows) {
    nlohmann::json list = nlohmann::json::array();
    for (const Row& row : rows) {
        nlohmann::json ratio;
        if (row.ratio) {
            ratio = {
                {"median", row.ratio->median}, {"min", row.ratio->min}, {"max", row.ratio->max}};
        }
        list.push_back({{"what", row.what},
                        {"beside", row.beside},
                        {"figure", row.figure},
                        {"unit", row.unit},
                        {"ratio", ratio},
                        {"least", row.least},
                        {"reached", row.reached},
                        {"note", row.note}});
    }
    return nlohmann::json{{"rows", list}}.dump(2) + "\n";
}

}  // namespace jw::bench
