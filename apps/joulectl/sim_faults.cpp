// SPDX-License-Identifier: Apache-2.0
// Faults of simulated devices.
#include "apps/joulectl/sim_faults.h"

#include <charconv>
#include <ctime>

#include "apps/joulectl/subcommands.h"

namespace joulectl {
namespace {

/// "5%", "0.5%" or "5" as millionths.
std::optional<std::uint32_t> parse_share(std::string text) {
    if (!text.empty() && text.back() == '%') {
        text.pop_back();
    }
    char* end = nullptr;
    const double percent = std::strtod(text.c_str(), &end);
    const bool whole = !text.empty() && *end == '\0';
    if (!whole || !(percent >= 0 && percent <= 100)) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(percent * 10'000);
}

std::optional<std::int64_t> parse_number(std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && end == text.data() + text.size() && value >= 0;
    return whole ? std::optional(value) : std::nullopt;
}

std::int64_t second_of_local_day() {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    return local.tm_hour * 3600 + local.tm_min * 60 + local.tm_sec;
}

}  // namespace

SimFaults::SimFaults(const SimOptions& options)
    : random_(options.seed),
      delay_(jw::milliseconds(options.delay_ms)),
      from_(moment(options.asleep_from, "--asleep-from")),
      to_(moment(options.asleep_to, "--asleep-to")) {
    const auto share = parse_share(options.drop);
    if (!share) {
        throw UsageError("sim: --drop " + options.drop + ": give a share from 0% to 100%");
    }
    drop_ppm_ = *share;
    if (to_ && !from_) {
        throw UsageError("sim: --asleep-to needs --asleep-from");
    }
    if (to_ && from_ && to_->of_day != from_->of_day) {
        throw UsageError(
            "sim: give --asleep-from and --asleep-to both as HH:MM or both as seconds");
    }
}

std::optional<SimFaults::Moment> SimFaults::moment(const std::string& text, const char* option) {
    if (text.empty()) {
        return std::nullopt;
    }
    if (const auto number = parse_number(text)) {
        return Moment{*number, false};
    }
    const std::size_t colon = text.find(':');
    if (colon != std::string::npos) {
        const auto hours = parse_number(std::string_view(text).substr(0, colon));
        const auto minutes = parse_number(std::string_view(text).substr(colon + 1));
        if (hours && minutes && *hours < 24 && *minutes < 60) {
            return Moment{*hours * 3600 + *minutes * 60, true};
        }
    }
    throw UsageError(std::string("sim: ") + option + " " + text +
                     ": give HH:MM, or seconds since the start");
}

bool SimFaults::drops() {
    random_ = random_ * 6364136223846793005U + 1442695040888963407U;
    return (random_ >> 33) % 1'000'000 < drop_ppm_;
}

bool SimFaults::asleep(jw::Instant now) const {
    if (!from_) {
        return false;
    }
    const std::int64_t s = from_->of_day ? second_of_local_day() : now.us / 1'000'000;
    if (!to_) {
        return s >= from_->s;
    }
    const bool through_midnight = from_->of_day && to_->s <= from_->s;
    return through_midnight ? s >= from_->s || s < to_->s : s >= from_->s && s < to_->s;
}

}  // namespace joulectl
