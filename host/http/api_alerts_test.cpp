// SPDX-License-Identifier: Apache-2.0
// Alerts over the API: listed, acknowledged, forgotten, pushed.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "host/http/fake_gateway.h"

namespace jw::http {
namespace {

using Json = nlohmann::json;

class ApiAlertsTest : public ::testing::Test {
  protected:
    ApiAlertsTest() : site_(guarded_web()) {}
    Answer ask(const std::string& what) {
        TestClient client = site_.client();
        return client.ask(what, operator_token);
    }
    Json items() { return Json::parse(ask("GET /api/v1/alerts").body)["items"]; }
    void clear(const char* device) {
        site_.gateway.alerts.changed(
            {Name(device), FaultKind::device_silent, Severity::alarm, false, "Silent."},
            site_.gateway.now - seconds(4));
    }
    Site site_;
};

TEST_F(ApiAlertsTest, the_newest_comes_first_with_its_time) {
    const Json all = items();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0]["id"], 8);
    EXPECT_EQ(all[0]["source"], "relay");
    EXPECT_EQ(all[0]["status"], "active");
    EXPECT_EQ(all[0]["since"], *site_.gateway.unix_ms - 30'000);
    EXPECT_EQ(all[0]["since_age_s"], 30);
    EXPECT_TRUE(all[0]["cleared_age_s"].is_null());
    EXPECT_TRUE(all[0]["acknowledged_by"].is_null());
    EXPECT_TRUE(all[0]["value"].is_null());
}

TEST_F(ApiAlertsTest, who_acknowledged_is_told) {
    EXPECT_EQ(ask("POST /api/v1/alerts/7/acknowledge").status, 204U);
    const Json all = items();
    EXPECT_EQ(all[1]["status"], "acknowledged");
    EXPECT_EQ(all[1]["acknowledged_by"], "token plant");
    EXPECT_EQ(all[0]["status"], "active");
}

TEST_F(ApiAlertsTest, what_is_not_there_or_over_is_not_acknowledged) {
    EXPECT_EQ(ask("POST /api/v1/alerts/6/acknowledge").status, 404U);
    EXPECT_EQ(ask("POST /api/v1/alerts/seven/acknowledge").status, 404U);
    EXPECT_EQ(ask("POST /api/v1/alerts/-7/acknowledge").status, 404U);
    clear("grid");
    EXPECT_EQ(ask("POST /api/v1/alerts/7/acknowledge").status, 422U);
}

TEST_F(ApiAlertsTest, acknowledging_takes_the_right_to_act) {
    TestClient client = site_.client();
    EXPECT_EQ(client.ask("POST /api/v1/alerts/7/acknowledge").status, 401U);
    EXPECT_EQ(client.ask("DELETE /api/v1/alerts").status, 401U);
    EXPECT_EQ(items()[1]["status"], "active");
}

TEST_F(ApiAlertsTest, what_is_over_is_told_as_such_and_can_be_deleted) {
    clear("relay");
    EXPECT_EQ(items()[0]["status"], "cleared");
    EXPECT_EQ(items()[0]["cleared_age_s"], 4);
    EXPECT_EQ(ask("DELETE /api/v1/alerts").status, 204U);
    const Json left = items();
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left[0]["source"], "grid");
}

}  // namespace
}  // namespace jw::http
