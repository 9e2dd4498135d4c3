// SPDX-License-Identifier: Apache-2.0
// `joulectl can`: what is wrong in a log of CAN frames, and the profiles as DBC and as a page.
#include "apps/joulectl/can.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "apps/joulectl/input.h"

namespace joulectl {
namespace {

using namespace jw;
using Json = nlohmann::ordered_json;

/// How much a period may be off.
constexpr std::int64_t tolerance_us = 200'000;

std::string id_text(std::uint32_t id) {
    std::array<char, 8> room{};
    Text text(room);
    text.hex(id, 3);
    return std::string(text.view());
}

/// What of one id stands in the log.
struct Seen {
    std::size_t frames = 0;
    std::int64_t last_us = 0;
    std::vector<std::int64_t> gaps_us;
};

class Check {
  public:
    explicit Check(const can_out::Profile& profile) : profile_(profile) {}

    int run(std::string_view log) {
        each_line(log, [&](std::string_view line, std::size_t at) { take(line, at); });
        for (const can_out::Frame& frame : profile_.sent) {
            judge(frame);
        }
        const Json summary{{"profile", profile_.name},
                           {"frames", frames_},
                           {"unknown", unknown_},
                           {"timed", timed_},
                           {"findings", findings_}};
        std::printf("%s\n", summary.dump().c_str());
        return findings_ == 0 ? 0 : 1;
    }

  private:
    void find(const Json& finding) {
        ++findings_;
        std::printf("%s\n", finding.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
    }

    void take(std::string_view text, std::size_t at) {
        const candump::Line read = candump::read_line(text);
        if (read.code != Code::ok) {
            find({{"finding", "bad_line"}, {"at", at + read.at}, {"expected", read.wrong}});
        }
        if (!read.logged) {
            return;
        }
        const CanFrame& can = read.logged->frame;
        ++frames_;
        const auto* frame = can.extended ? nullptr : can_out::find(profile_, can.id);
        if (frame == nullptr) {
            ++unknown_;
            return;
        }
        Seen& seen = seen_[can.id];
        if (read.logged->time_us) {
            timed_ = true;
            if (seen.frames > 0) {
                seen.gaps_us.push_back(*read.logged->time_us - seen.last_us);
            }
            seen.last_us = *read.logged->time_us;
        }
        ++seen.frames;
        look_into(*frame, can, at);
    }

    void look_into(const can_out::Frame& frame, const CanFrame& can, std::size_t at) {
        can_out::BatteryState state;
        if (!decode(frame, can, state)) {
            find({{"finding", "too_short"}, {"id", id_text(can.id)}, {"at", at}});
            return;
        }
        if (can.id == 0x351 && state.charge_voltage_mv.value_or(1) <= 0) {
            find({{"finding", "charge_voltage_zero"}, {"id", id_text(can.id)}, {"at", at}});
        }
        for (const can_out::Signal& signal : frame.signals) {
            for (std::size_t i = 0; signal.kind == can_out::Kind::pairs && i < battery_alarms;
                 ++i) {
                const std::size_t bit = signal.first_bit + 2 * i;
                if (bit / 8 < can.size && ((can.data[bit / 8] >> (bit % 8)) & 3) == 3) {
                    find({{"finding", "invalid_pair"},
                          {"id", id_text(can.id)},
                          {"at", at},
                          {"alarm", can_out::alarm_name(static_cast<BatteryAlarm>(i))},
                          {"block", can_out::level_name(signal.level)}});
                }
            }
        }
    }

    void judge(const can_out::Frame& frame) {
        Seen& seen = seen_[frame.id];
        if (seen.frames == 0) {
            if (frame.needed) {
                find({{"finding", "missing"}, {"id", id_text(frame.id)}, {"name", frame.name}});
            }
            return;
        }
        if (seen.gaps_us.empty()) {
            return;
        }
        const auto [least, most] = std::minmax_element(seen.gaps_us.begin(), seen.gaps_us.end());
        const std::int64_t period_us = std::int64_t{1000} * frame.period_ms;
        if (*least < period_us - tolerance_us || *most > period_us + tolerance_us) {
            find({{"finding", "period"},
                  {"id", id_text(frame.id)},
                  {"name", frame.name},
                  {"period_ms", frame.period_ms},
                  {"least_ms", *least / 1000},
                  {"most_ms", *most / 1000}});
        }
    }

    const can_out::Profile& profile_;
    std::map<std::uint32_t, Seen> seen_;
    std::size_t frames_ = 0;
    std::size_t unknown_ = 0;
    bool timed_ = false;
    int findings_ = 0;
};

/// Prints what `put` appends.
template <class Put>
void print(const Put& put) {
    std::vector<char> room(can_out::description_max);
    Text text(room);
    put(text);
    if (!text.ok()) {
        throw Failure("can: a description is longer than it may be");
    }
    std::fwrite(text.view().data(), 1, text.size(), stdout);
}

int print_dbc(const can_out::Profile& profile) {
    print([](Text& out) { can_out::put_dbc_head(out); });
    for (const auto frames : {profile.sent, profile.heard}) {
        for (const can_out::Frame& frame : frames) {
            print([&](Text& out) { can_out::put_dbc_frame(frame, out); });
        }
    }
    print([&](Text& out) { can_out::put_dbc_tail(profile, out); });
    return 0;
}

void print_conversions(const can_out::Profile& profile) {
    std::printf("\n## %s\n\n%s.\n", profile.name, profile.title);
    for (const bool sent : {true, false}) {
        const auto frames = sent ? profile.sent : profile.heard;
        std::printf("\n%s\n\n| id | name | bytes | period | needed |\n|---|---|---|---|---|\n",
                    sent ? "Sent:" : "Understood only:");
        for (const can_out::Frame& frame : frames) {
            std::printf("| %03x | %s | %u | %u ms | %s |\n",
                        unsigned{frame.id},
                        frame.name,
                        unsigned{frame.size},
                        unsigned{frame.period_ms},
                        frame.needed ? "yes" : "");
        }
    }
    std::printf(
        "\n| id | signal | first bit | type | value | absent |\n|---|---|---|---|---|---|\n");
    for (const auto frames : {profile.sent, profile.heard}) {
        for (const can_out::Frame& frame : frames) {
            print([&](Text& out) { can_out::put_markdown(frame, out); });
        }
    }
}

int print_page() {
    std::printf(
        "# CAN frames to inverters\n\n"
        "Written by `joulectl can conversions` from the tables in `core/sink/can_out/profiles.cpp`;"
        "\na test holds this page against them. Bits count from the lowest bit of the first byte; "
        "numbers\nhave their lower byte first unless the type says otherwise.\n\n"
        "Pairs and bits of alarms stand in this order:");
    for (std::size_t i = 0; i < battery_alarms; ++i) {
        const auto name = can_out::alarm_name(static_cast<BatteryAlarm>(i));
        std::printf("%s %.*s", i == 0 ? "" : ",", static_cast<int>(name.size()), name.data());
    }
    std::printf(".\n");
    for (const can_out::Profile& profile : can_out::profiles) {
        print_conversions(profile);
    }
    return 0;
}

}  // namespace

int can(const CanOptions& options) {
    if (options.action == "check") {
        return Check(profile_named(options.profile)).run(read_all(options.argument));
    }
    return options.action == "dbc" ? print_dbc(profile_named(options.argument)) : print_page();
}

}  // namespace joulectl
