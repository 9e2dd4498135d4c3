// SPDX-License-Identifier: Apache-2.0
// Logging and hardening of a service.
#include "host/service.h"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

namespace jw {
namespace {

class Severity final : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message,
                const std::tm& /*time*/,
                spdlog::memory_buf_t& out) override {
        const std::string prefix = journal_prefix(message.level);
        out.append(prefix.data(), prefix.data() + prefix.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<Severity>();
    }
};

}  // namespace

std::string journal_prefix(int level) {
    // trace, debug, info, warning, error, critical
    constexpr std::array severities{7, 7, 6, 4, 3, 2};
    const auto index =
        std::min(static_cast<std::size_t>(std::max(level, 0)), severities.size() - 1);
    return fmt::format("<{}>", severities[index]);
}

void start_log() {
    if (isatty(STDERR_FILENO) != 0) {
        auto log = spdlog::stderr_color_st("jouleway");
        log->set_pattern("%T.%e %^%l%$ %v");
        spdlog::set_default_logger(std::move(log));
        return;
    }
    auto log = spdlog::stderr_logger_st("jouleway");
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<Severity>('*').set_pattern("%*%v");
    log->set_formatter(std::move(formatter));
    spdlog::set_default_logger(std::move(log));
}

void harden_process() {
    (void)umask(0077);
    (void)prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace jw
