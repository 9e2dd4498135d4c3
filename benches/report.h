// SPDX-License-Identifier: Apache-2.0
#pragma once
// What every bench program shares: its arguments, its figures, and the report that ./bench reads.
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace jw::bench {

struct Arguments {
    std::string json;          // file of the report; empty: only the table is printed
    std::string folder = ".";  // where files of the bench go; it decides which disk is measured
    bool quick = false;        // a smoke run: everything once, the figures mean nothing
};
/// Ends the program with 2 where they are wrong.
Arguments arguments(int argc, char** argv, const char* what);

/// A folder of its own inside another one, gone with the object.
class Scratch {
  public:
    explicit Scratch(const std::string& inside);
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch();
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

struct Spread {
    double median = 0;
    double least = 0;
    double most = 0;
};
/// Of at least one value.
Spread spread(std::vector<double> values);
/// Of each repetition a ÷ b, then their spread.
Spread paired(const std::vector<double>& a, const std::vector<double>& b);
/// The value below which so many hundredths lie; sorts. 0 where there is none.
double percentile(std::vector<double>& values, double hundredths);

struct Row {
    std::string what;
    std::string beside;
    double figure = 0;
    std::string unit;
    std::optional<Spread> ratio;
    std::string target;           // "≥ 2×"; empty: there is none
    std::optional<bool> reached;  // of the target
    std::string note;
};

/// Times of fdatasync on the disk of the bench, in the same run.
struct DiskTimes {
    double p50_us = 0;
    double p99_us = 0;
};

class Report {
  public:
    void add(Row row) { rows_.push_back(std::move(row)); }
    void disk(DiskTimes times) { disk_ = times; }
    /// Prints the rows and writes them where the arguments say; gives the program's exit code.
    [[nodiscard]] int finish(const Arguments& arguments) const;

  private:
    std::vector<Row> rows_;
    std::optional<DiskTimes> disk_;
};

/// Seconds that the call took.
double seconds_of(const std::function<void()>& call);

/// Ends the program: a bench that cannot do its work has no figure.
[[noreturn]] void give_up(const std::string& reason);

}  // namespace jw::bench
