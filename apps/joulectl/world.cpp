// SPDX-License-Identifier: Apache-2.0
// `joulectl world`: simulated worlds from their seeds, one JSON line each.
#include "sim/world.h"

#include <unistd.h>

#include <cstdio>

#include "apps/joulectl/subcommands.h"

namespace joulectl {

int world(const WorldOptions& options) {
    const bool watched = isatty(STDERR_FILENO) == 1 && options.seeds > 1;
    std::uint64_t broken = 0;
    for (std::uint64_t i = 0; i < options.seeds; ++i) {
        const jw::sim::WorldReport report = jw::sim::run_world(
            {options.seed + i, jw::seconds(60) * static_cast<std::int64_t>(options.minutes)});
        std::printf("%s\n", jw::sim::to_json(report).c_str());
        std::fflush(stdout);
        broken += report.broken.empty() ? 0 : 1;
        if (!report.broken.empty()) {
            std::fprintf(stderr,
                         "joulectl: seed %llu is broken %s\n",
                         static_cast<unsigned long long>(report.seed),
                         report.broken.c_str());
        }
        if (watched) {
            std::fprintf(stderr,
                         "\r%llu of %llu worlds, %llu broken",
                         static_cast<unsigned long long>(i) + 1,
                         static_cast<unsigned long long>(options.seeds),
                         static_cast<unsigned long long>(broken));
        }
    }
    if (watched) {
        std::fputc('\n', stderr);
    }
    return broken == 0 ? 0 : 1;
}

}  // namespace joulectl
