// SPDX-License-Identifier: Apache-2.0
// Exposition: which format an Accept header gets, and what it looks like.
#include "host/http/exposition.h"

#include <gtest/gtest.h>

#include "host/http/gzip.h"

namespace jw::http {
namespace {

constexpr const char* sample =
    "# HELP x_total How often.\n# TYPE x_total counter\nx_total{a=\"# TYPE y_total\"} 3\n"
    "# HELP y_seconds How long.\n# TYPE y_seconds gauge\ny_seconds 1.5\n";

Response exposed(const std::string& accept, const std::string& encoding = "") {
    Request request;
    request.headers = {{"Accept", accept}, {"Accept-Encoding", encoding}};
    return expose(request, sample);
}

bool is_open_metrics(const Response& response) {
    return response.headers[0].value.starts_with("application/openmetrics-text; version=1.0.0");
}

TEST(ExpositionTest, open_metrics_declares_counters_without_total_and_ends) {
    EXPECT_EQ(as_open_metrics(sample),
              "# HELP x How often.\n# TYPE x counter\nx_total{a=\"# TYPE y_total\"} 3\n"
              "# HELP y_seconds How long.\n# TYPE y_seconds gauge\ny_seconds 1.5\n# EOF\n");
    EXPECT_EQ(as_open_metrics(""), "# EOF\n");
}

TEST(ExpositionTest, a_scraper_of_prometheus_gets_open_metrics) {
    const Response response = exposed(
        "application/openmetrics-text;version=1.0.0,"
        "application/openmetrics-text;version=0.0.1;q=0.75,"
        "text/plain;version=0.0.4;q=0.5,*/*;q=0.1");
    EXPECT_TRUE(is_open_metrics(response));
    EXPECT_TRUE(response.body.ends_with("# EOF\n"));
}

TEST(ExpositionTest, who_does_not_name_open_metrics_or_likes_it_less_gets_the_text_format) {
    for (const char* accept : {"",
                               "*/*",
                               "text/plain",
                               "application/*",
                               "application/openmetrics-text;q=0",
                               "application/openmetrics-text;q=junk",
                               "application/openmetrics-text; q=0.4, text/plain; q=0.5"}) {
        const Response response = exposed(accept);
        EXPECT_EQ(response.headers[0].value, "text/plain; version=0.0.4; charset=utf-8") << accept;
        EXPECT_EQ(response.body, sample);
    }
}

TEST(ExpositionTest, it_is_gzipped_only_for_who_takes_that) {
    const Response zipped = exposed("", "deflate, gzip;q=0.5");
    EXPECT_EQ(zipped.headers.back().name, "Content-Encoding");
    EXPECT_EQ(gunzip(as_bytes(zipped.body)), sample);
    for (const char* encoding : {"", "identity", "gzip;q=0", "xgzip", "br"}) {
        EXPECT_EQ(exposed("", encoding).body, sample) << encoding;
    }
}

TEST(ExpositionTest, what_was_gzipped_unzips_to_the_same_at_any_size) {
    std::string plain;
    for (const std::size_t size : {0U, 1U, 20000U, 300000U}) {
        while (plain.size() < size) {
            plain += static_cast<char>('a' + plain.size() * plain.size() % 23);
        }
        const auto zipped = gzip(plain);
        ASSERT_TRUE(zipped.has_value());
        EXPECT_EQ(gunzip(as_bytes(*zipped)), plain);
        EXPECT_EQ(gunzip(as_bytes(*zipped).first(zipped->size() - 1)), "") << "cut short";
    }
}

}  // namespace
}  // namespace jw::http
