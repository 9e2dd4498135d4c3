// SPDX-License-Identifier: Apache-2.0
// The history over the API: what may be asked, and what JSON and CSV say.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/http/fake_gateway.h"

namespace jw::http {
namespace {

using Json = nlohmann::json;

Answer ask(Site& site, const std::string& query) {
    TestClient client = site.client();
    return client.ask("GET /api/v1/history?" + query);
}

TEST(ApiHistoryTest, a_point_is_time_mean_least_and_most) {
    Site site({});
    const Json body = Json::parse(ask(site, "device=grid&name=power_w").body);
    EXPECT_EQ(body["points"], Json::parse("[[1790000000000,3,2,3],[1790000010000,-7,-7,-7]]"));
    EXPECT_EQ(body["name"], "power_w");
    EXPECT_EQ(body["unit"], "w");
    EXPECT_EQ(body["step_s"], 10);
}

TEST(ApiHistoryTest, of_a_counter_a_point_has_the_last_value) {
    Site site({});
    site.gateway.history = std::vector<Bucket>{{1'790'000'000, 2, 300, 100, 200, 200}};
    const Json body = Json::parse(ask(site, "device=grid&name=energy_import_wh").body);
    EXPECT_EQ(body["points"], Json::parse("[[1790000000000,200,100,200]]"));
}

TEST(ApiHistoryTest, the_last_day_in_three_hundred_points_is_what_nobody_asks_otherwise) {
    Site site({});
    ask(site, "device=grid&name=power_l2_w");
    const HistoryQuery& asked = site.gateway.asked;
    EXPECT_EQ(asked.series, (SeriesKey{Name("grid"), Quantity::power_w, 2}));
    EXPECT_EQ(asked.to_s, *site.gateway.unix_ms / 1000 + 1);
    EXPECT_EQ(asked.to_s - asked.from_s, 86'400);
    EXPECT_EQ(asked.points, 300);
    EXPECT_FALSE(asked.unmerged);
}

TEST(ApiHistoryTest, what_is_asked_for_is_asked) {
    Site site({});
    ask(site, "device=grid&name=cell_voltage_c7_mv&from=1789990000000&to=1790000000001&points=42");
    const HistoryQuery& asked = site.gateway.asked;
    EXPECT_EQ(asked.series.index, 7);
    EXPECT_EQ(asked.from_s, 1'789'990'000);
    EXPECT_EQ(asked.to_s, 1'790'000'001);
    EXPECT_EQ(asked.points, 42);
}

TEST(ApiHistoryTest, csv_is_a_file_of_what_is_kept) {
    Site site({});
    const Answer answer = ask(site, "device=grid&name=power_w&format=csv");
    EXPECT_EQ(answer.body,
              "time,unix_ms,power_w,power_w_min,power_w_max,power_w_last,readings\r\n"
              "2026-09-21T14:13:20Z,1790000000000,3,2,3,3,2\r\n"
              "2026-09-21T14:13:30Z,1790000010000,-7,-7,-7,-7,1\r\n");
    EXPECT_EQ(answer.header("Content-Type"), "text/csv; charset=utf-8; header=present");
    EXPECT_EQ(answer.header("Content-Disposition"), "attachment; filename=\"grid-power_w.csv\"");
    EXPECT_TRUE(site.gateway.asked.unmerged);
    EXPECT_EQ(site.gateway.asked.points, HistoryStore::points_max);
}

TEST(ApiHistoryTest, a_question_that_cannot_be_is_refused) {
    Site site({});
    const std::string good = "device=grid&name=power_w";
    for (const std::string& query : {std::string("name=power_w"),
                                     std::string("device=grid"),
                                     std::string("device=grid&name=power"),
                                     std::string("device=a%22b&name=power_w"),
                                     std::string("device=&name=power_w"),
                                     good + "&from=5&to=5",
                                     good + "&from=9000&to=4000",
                                     good + "&from=-1",
                                     good + "&from=",
                                     good + "&to=9223372036854775807",
                                     good + "&to=99999999999999999999",
                                     good + "&points=0",
                                     good + "&points=2001",
                                     good + "&points=1e3",
                                     good + "&format=xml"}) {
        EXPECT_EQ(ask(site, query).status, 422U) << query;
    }
}

TEST(ApiHistoryTest, a_history_that_is_off_is_not_found) {
    Site site({});
    site.gateway.history.reset();
    EXPECT_EQ(ask(site, "device=grid&name=power_w").status, 404U);
}

TEST(ApiHistoryTest, the_series_are_listed_with_their_span) {
    Site site({});
    TestClient client = site.client();
    const Answer answer = client.ask("GET /api/v1/history/series");
    EXPECT_EQ(Json::parse(answer.body),
              Json::parse(R"({"items":[{"device":"grid","name":"power_l1_w",)"
                          R"("from":1790000000000,"to":1790000100000}]})"));
}

}  // namespace
}  // namespace jw::http
