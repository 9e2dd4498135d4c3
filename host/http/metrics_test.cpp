// SPDX-License-Identifier: Apache-2.0
// Metrics: base units, and nothing that promtool finds wrong.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "host/http/fake_gateway.h"

namespace jw::http {
namespace {

TEST(MetricsTest, metrics_are_in_base_units) {
    Site site({});
    site.gateway.reading(site.api, -1520);
    const Answer answer = site.client().ask("GET /metrics");
    EXPECT_EQ(answer.header("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
    for (const char* line :
         {"jouleway_device_power_watts{device=\"grid\",kind=\"total\"} -1520\n",
          "jouleway_device_voltage_volts{device=\"grid\",phase=\"l1\"} 230.1",
          "jouleway_device_energy_joules_total{device=\"grid\",direction=\"import\"} 5400000\n",
          "jouleway_device_state_of_charge_ratio{device=\"grid\"} 0.505",
          "jouleway_device_up{device=\"relay\"} 0\n",
          "jouleway_outbox_records{sink=\"broker\"} 7\n",
          "jouleway_outbox_oldest_age_seconds{sink=\"broker\"} 90\n",
          "jouleway_faults_active{severity=\"alarm\"} 1\n",
          "jouleway_bus_requests_total{bus=\"rs485\",result=\"timeout\"} 0\n",
          "jouleway_outbox_bytes 10\n",
          "jouleway_outbox_bytes_max 1000\n",
          "jouleway_outbox_keep_every 4\n",
          "jouleway_outbox_thinned_total{class=\"telemetry\"} 21\n",
          "jouleway_outbox_thinned_total{class=\"alarm\"} 0\n",
          "jouleway_sink_errors_total{sink=\"broker\",reason=\"connection\"} 2\n",
          "jouleway_clock_synchronized 1\n"}) {
        EXPECT_NE(answer.body.find(line), std::string::npos) << line << answer.body;
    }
    EXPECT_EQ(answer.body.find("_wh"), std::string::npos);
}

TEST(MetricsTest, the_age_of_a_backlog_is_left_out_where_it_is_not_known) {
    Site site({});
    const auto age = [&] {
        const std::string text = site.api.metrics();
        const auto at = text.find("jouleway_outbox_oldest_age_seconds{sink=\"broker\"}");
        return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
    };
    site.gateway.sinks[0].oldest_age = std::nullopt;
    EXPECT_EQ(age(), "");
    site.gateway.sinks[0].waiting = 0;
    EXPECT_EQ(age(), "jouleway_outbox_oldest_age_seconds{sink=\"broker\"} 0");
}

TEST(MetricsTest, histograms_count_what_is_up_to_each_bound) {
    Site site({});
    const std::string text = site.api.metrics();
    for (const char* line :
         {"jouleway_loop_stall_seconds_bucket{le=\"0.001\"} 1\n",
          "jouleway_loop_stall_seconds_bucket{le=\"0.0025\"} 1\n",
          "jouleway_loop_stall_seconds_bucket{le=\"0.005\"} 2\n",
          "jouleway_loop_stall_seconds_bucket{le=\"0.05\"} 2\n",
          "jouleway_loop_stall_seconds_bucket{le=\"0.1\"} 3\n",
          "jouleway_loop_stall_seconds_bucket{le=\"+Inf\"} 3\n",
          "jouleway_loop_stall_seconds_count 3\n",
          "jouleway_loop_stall_seconds_sum 0.0753",
          "jouleway_storage_sync_duration_seconds_bucket{le=\"5\"} 0\n",
          "jouleway_storage_sync_duration_seconds_bucket{le=\"+Inf\"} 1\n",
          "jouleway_bus_request_duration_seconds_bucket{bus=\"rs485\",le=\"0.025\"} 0\n",
          "jouleway_bus_request_duration_seconds_bucket{bus=\"rs485\",le=\"0.05\"} 1\n",
          "jouleway_sink_confirm_delay_seconds_bucket{sink=\"broker\",le=\"0.01\"} 1\n"}) {
        EXPECT_NE(text.find(line), std::string::npos) << line << text;
    }
    EXPECT_EQ(text.find("duration_seconds_count{bus=\"p1\"}"), std::string::npos);
}

TEST(MetricsTest, promtool_finds_nothing_wrong_with_the_metrics) {
    if (::access("/usr/bin/promtool", X_OK) != 0) {
        GTEST_SKIP() << "promtool (package prometheus) is not installed";
    }
    Site site({});
    site.gateway.reading(site.api, -1520);
    site.api.finished({CommandId("c"), Name("relay"), ResultCode::executed, {}, 1}, true);
    const std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("jw-metrics-" + std::to_string(::getpid()));
    std::ofstream(path) << site.api.metrics();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, path.c_str(), O_RDONLY, 0);
    std::string words[] = {"promtool", "check", "metrics"};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    ::pid_t process = 0;
    ASSERT_EQ(::posix_spawn(&process, "/usr/bin/promtool", &actions, nullptr, arguments, environ),
              0);
    int status = -1;
    ::waitpid(process, &status, 0);
    posix_spawn_file_actions_destroy(&actions);
    std::filesystem::remove(path);
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace jw::http
