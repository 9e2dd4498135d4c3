// SPDX-License-Identifier: Apache-2.0
// Arguments, figures and report of the bench programs.
#include "benches/report.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace jw::bench {

Arguments arguments(int argc, char** argv, const char* what) {
    Arguments result;
    CLI::App app{what};
    app.add_option("--json", result.json, "file that the report is written to");
    app.add_option("--folder", result.folder, "where the bench keeps its files: the disk measured");
    app.add_flag("--quick", result.quick, "a smoke run, without meaning for the figures");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::exit(app.exit(error) == 0 ? 0 : 2);
    }
    return result;
}

Scratch::Scratch(const std::string& inside) : path_(inside + "/bench-XXXXXX") {
    std::filesystem::create_directories(inside);
    if (mkdtemp(path_.data()) == nullptr) {
        give_up("no folder can be made in " + inside);
    }
}

Scratch::~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Spread spread(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return {values.at(values.size() / 2), values.front(), values.back()};
}

Spread paired(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < a.size(); ++i) {
        ratios.push_back(a[i] / b.at(i));
    }
    return spread(std::move(ratios));
}

double percentile(std::vector<double>& values, double hundredths) {
    if (values.empty()) {
        return 0;
    }
    std::sort(values.begin(), values.end());
    const double at = std::ceil(hundredths / 100 * static_cast<double>(values.size())) - 1;
    return values[static_cast<std::size_t>(std::max(at, 0.0))];
}

int Report::finish(const Arguments& arguments) const {
    nlohmann::json rows = nlohmann::json::array();
    for (const Row& row : rows_) {
        nlohmann::json ratio;
        std::string ratio_text;
        if (row.ratio) {
            ratio = {
                {"median", row.ratio->median}, {"min", row.ratio->least}, {"max", row.ratio->most}};
            ratio_text = fmt::format(
                "{:.2f} ({:.2f}–{:.2f})", row.ratio->median, row.ratio->least, row.ratio->most);
        }
        rows.push_back({{"what", row.what},
                        {"beside", row.beside},
                        {"figure", row.figure},
                        {"unit", row.unit},
                        {"ratio", ratio},
                        {"least", row.target},
                        {"reached", row.reached ? nlohmann::json(*row.reached) : nlohmann::json()},
                        {"note", row.note}});
        fmt::print("{} | {} | {:.6g} {} | {} | {}{} | {}\n",
                   row.what,
                   row.beside,
                   row.figure,
                   row.unit,
                   ratio_text,
                   row.target,
                   !row.reached   ? ""
                   : *row.reached ? " reached"
                                  : " NOT reached",
                   row.note);
    }
    nlohmann::json all = {{"rows", rows}};
    if (disk_) {
        all["disk"] = {{"fdatasync_p50_us", disk_->p50_us}, {"fdatasync_p99_us", disk_->p99_us}};
        fmt::print(
            "fdatasync of the disk: p50 {:.0f} us, p99 {:.0f} us\n", disk_->p50_us, disk_->p99_us);
    }
    if (arguments.json.empty()) {
        return 0;
    }
    std::ofstream file(arguments.json);
    file << all.dump(1) << "\n";
    return file.flush().good() ? 0 : 1;
}

double seconds_of(const std::function<void()>& call) {
    const auto before = std::chrono::steady_clock::now();
    call();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
}

void give_up(const std::string& reason) {
    fmt::print(stderr, "bench: {}\n", reason);
    std::exit(1);
}

}  // namespace jw::bench
