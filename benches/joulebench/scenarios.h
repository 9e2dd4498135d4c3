// SPDX-License-Identifier: Apache-2.0
#pragma once
// The scenarios of joulebench, each giving its rows.
#include <string>
#include <vector>

#include "benches/report.h"
#include "core/base/time.h"

namespace jw::bench {

struct Options {
    std::string jouleway;      // the program
    std::string folder = ".";  // where stores are made: the disk that is measured
    std::string broker = "own";
    unsigned repetitions = 5;
    std::string mix;             // driver of the devices that are polled; empty: every mix
    std::size_t tags = 100'000;  // a second
    Duration warm_up = seconds(2);
    Duration window = seconds(10);
    std::uint64_t backlog = 864'000;
    bool quick = false;  // only see that everything works
};

/// CPU a tag from poll to acknowledgement, beside a bare epoll loop; memory above idle.
std::vector<Row> poll_scenario(const Options& options);
/// Time, memory and the latency of fresh readings while the backlog of a day is delivered.
std::vector<Row> drain_scenario(const Options& options);

}  // namespace jw::bench
