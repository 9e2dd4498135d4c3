// SPDX-License-Identifier: Apache-2.0
// Settings: the agreed file is understood, and each kind of error names place, value, reason and
// remedy.
#include "host/settings.h"

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "host/base64.h"
#include "host/http/password.h"

namespace jw {
namespace {

using Json = nlohmann::json;

Device* make_none(Arena&, const DeviceSettings&, DeviceOut&) {
    return nullptr;
}
const Driver p1{"p1", LineKind::stream, 0, {}, &make_none};
const Driver demo_meter{
    "demo_meter", LineKind::modbus, 0, {}, &make_none, false, milliseconds(250)};
const Driver* const drivers[] = {&p1, &demo_meter};

/// A folder of its own that goes with the test.
class SettingsTest : public testing::Test {
  protected:
    SettingsTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "jw-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    ~SettingsTest() override { std::filesystem::remove_all(folder_); }

    std::string file(const std::string& name, const std::string& content, ::mode_t mode = 0600) {
        const std::filesystem::path path = folder_ / name;
        std::ofstream(path) << content;
        ::chmod(path.c_str(), mode);
        return path.string();
    }
    static SettingsOutcome parse(const Json& document) {
        return parse_settings(document.dump(), {.drivers = drivers});
    }
    /// The one error at that place; fails where there is none.
    static SettingsError error_at(const SettingsOutcome& outcome, const std::string& pointer) {
        std::string all;
        for (const SettingsError& error : outcome.errors) {
            if (error.pointer == pointer) {
                EXPECT_FALSE(error.reason.empty());
                EXPECT_FALSE(error.remedy.empty());
                return error;
            }
            all += error.text() + "\n";
        }
        ADD_FAILURE() << "no error at " << pointer << "; there are:\n" << all;
        return {};
    }
    SettingsError wrong(const char* change, const std::string& pointer) {
        Json document = good();
        document.merge_patch(Json::parse(change));
        const SettingsOutcome outcome = parse(document);
        EXPECT_FALSE(outcome.settings.has_value());
        EXPECT_EQ(outcome.errors.size(), 1U);
        return error_at(outcome, pointer);
    }
    SettingsError wrong_item(const char* list,
                             std::size_t index,
                             const char* change,
                             const std::string& pointer) {
        Json document = good();
        document[Json::json_pointer(list)][index].merge_patch(Json::parse(change));
        const SettingsOutcome outcome = parse(document);
        EXPECT_FALSE(outcome.settings.has_value());
        EXPECT_EQ(outcome.errors.size(), 1U);
        return error_at(outcome, pointer);
    }

    Json good() {
        Json document = Json::parse(R"({
            "gateway":"gw-lindenweg","site":"lindenweg-12",
            "storage":{"path":"/var/lib/jouleway","size_mb":512,"segment_kb":1024,"commit_s":0.5,
                       "ttl_s":{"telemetry":86400},
                       "when_full":{"billing":"reject_new","telemetry":"thin_out"}},
            "buses":[
              {"name":"pv-lan","type":"modbus_tcp","host":"127.0.0.1","port":5020,"gap_ms":5,
               "connect_delay_ms":7,"timeout_ms":1500,"open_requests":2},
              {"name":"rs485","type":"modbus_rtu","device":"/dev/ttyUSB0","baud":19200,
               "data_bits":8,"parity":"even","stop_bits":1,"gap_ms":0,"timeout_ms":1000},
              {"name":"adapter","type":"modbus_rtu_tcp","host":"192.0.2.1","port":8899},
              {"name":"p1","type":"serial","device":"/dev/ttyUSB1","baud":115200},
              {"name":"p1-net","type":"tcp","host":"fe80::1","port":23}],
            "devices":[
              {"name":"grid","driver":"p1","bus":"p1","poll_s":0.1,"keep_s":60,"unit":1,"sign":0,
               "title":"Grid meter","silent_after_s":0},
              {"name":"heat-pump","driver":"demo_meter","bus":"pv-lan","unit":7,"sign":-1,
               "cells_reversed":true}],
            "sinks":[
              {"name":"broker","type":"mqtt","host":"127.0.0.1","port":1884,"version":3,
               "user":"gw","mode":"window","window":{"every_s":300,"for_s":30},
               "batch":{"readings":50,"bytes":4096,"age_ms":250},"inflight":9,"two_stage":true,
               "payload":"cbor",
               "order":"fresh_first","tls":{}}],
            "commands":{"issuers":[{"name":"anyone","method":"none"}]},
            "web":{"listen":"[::1]:8081","hosts":["energy.example"],"tokens":[
              {"name":"grafana","role":"viewer","sha256":
               "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}]}})");
        document["sinks"][0]["password_file"] = file("password", "correct horse\n");
        document["commands"]["issuers"].push_back(
            {{"name", "hub"},
             {"method", "hmac"},
             {"key_file", file("hmac", "MDEyMzQ1Njc4OWFiY2RlZg==")}});
        document["commands"]["issuers"].push_back({{"name", "operator"},
                                                   {"method", "ed25519"},
                                                   {"key", encode_base64(std::string(32, 'k'))}});
        return document;
    }

    std::filesystem::path folder_;
};

TEST_F(SettingsTest, the_agreed_file_is_understood) {
    const SettingsOutcome outcome = parse(good());
    ASSERT_TRUE(outcome.settings.has_value())
        << (outcome.errors.empty() ? "" : outcome.errors[0].text());
    const GatewaySettings& settings = *outcome.settings;
    EXPECT_EQ(settings.gateway, "gw-lindenweg");
    EXPECT_EQ(settings.site, "lindenweg-12");
    EXPECT_EQ(settings.storage.commit, milliseconds(500));
    EXPECT_EQ(settings.storage.ttl_s, (std::array<std::uint32_t, 4>{0, 0, 0, 86400}));
    EXPECT_EQ(settings.storage.when_full,
              (std::array{WhenFull::drop_oldest,
                          WhenFull::drop_oldest,
                          WhenFull::reject_new,
                          WhenFull::thin_out}));
    ASSERT_EQ(settings.buses.size(), 5U);
    EXPECT_EQ(settings.buses[0].open_requests, 2);
    EXPECT_EQ(settings.buses[0].timeout, milliseconds(1500));
    EXPECT_EQ(settings.buses[0].address(), "127.0.0.1:5020");
    EXPECT_EQ(settings.buses[1].type, BusType::modbus_rtu);
    EXPECT_EQ(settings.buses[1].parity, SerialParity::even);
    EXPECT_EQ(settings.buses[1].address(), "/dev/ttyUSB0");
    EXPECT_EQ(settings.buses[4].address(), "[fe80::1]:23");
    ASSERT_EQ(settings.devices.size(), 2U);
    EXPECT_EQ(settings.devices[0].bus, 3U);
    EXPECT_EQ(settings.devices[0].driver, &p1);
    EXPECT_EQ(settings.devices[0].settings.poll, milliseconds(100));
    EXPECT_EQ(settings.devices[1].settings.poll, milliseconds(250));  // as its driver wants it
    EXPECT_EQ(settings.devices[1].settings.sign, -1);
    EXPECT_TRUE(settings.devices[1].settings.cells_reversed);
    EXPECT_FALSE(settings.devices[0].settings.cells_reversed);
    EXPECT_EQ(settings.devices[0].settings.silent_after, Duration{});
    EXPECT_EQ(settings.devices[1].settings.silent_after, seconds(600));
    EXPECT_EQ(settings.devices[1].title, "heat-pump");
}

TEST_F(SettingsTest, sinks_issuers_and_web_are_understood) {
    const SettingsOutcome outcome = parse(good());
    ASSERT_TRUE(outcome.settings.has_value());
    const GatewaySettings::Sink& sink = outcome.settings->sinks.at(0);
    EXPECT_EQ(sink.version, 4);
    EXPECT_EQ(sink.password->reveal(), "correct horse");
    EXPECT_EQ(sink.window->every, seconds(300));
    EXPECT_EQ(sink.batch.age, milliseconds(250));
    EXPECT_TRUE(sink.two_stage && sink.fresh_first && sink.tls.has_value());
    EXPECT_EQ(sink.payload, PayloadFormat::cbor);
    EXPECT_EQ(sink.client_id, "gw-lindenweg");
    EXPECT_EQ(outcome.settings->issuers.at(1).key->reveal(), "0123456789abcdef");
    EXPECT_EQ(outcome.settings->issuers.at(2).key->reveal(), std::string(32, 'k'));
    EXPECT_EQ(outcome.settings->web.address, "::1");
    EXPECT_EQ(outcome.settings->web.port, 8081);
    EXPECT_EQ(outcome.settings->web.tokens.at(0).sha256.substr(0, 2), "\x01\x23");
}

TEST_F(SettingsTest, the_smallest_file_gets_the_defaults) {
    const SettingsOutcome outcome =
        parse_settings(R"({"gateway":"gw","buses":[],"devices":[]})", {.drivers = drivers});
    ASSERT_TRUE(outcome.settings.has_value());
    EXPECT_EQ(outcome.settings->storage.size_mb, 512U);
    EXPECT_EQ(outcome.settings->web.address, "127.0.0.1");
    EXPECT_EQ(outcome.settings->web.port, 8080);
}

TEST_F(SettingsTest, a_syntax_error_names_line_and_column) {
    const SettingsOutcome outcome =
        parse_settings("{\"gateway\":\"gw\",\n  \"buses\": [,]}", {.drivers = drivers});
    ASSERT_EQ(outcome.errors.size(), 1U);
    EXPECT_EQ(outcome.errors[0].line, 2U);
    EXPECT_EQ(outcome.errors[0].column, 13U);
    EXPECT_EQ(outcome.errors[0].found, "\",\"");
}

TEST_F(SettingsTest, a_cut_file_is_an_error_at_its_end) {
    const SettingsOutcome outcome = parse_settings("{\"gateway\":", {.drivers = drivers});
    ASSERT_EQ(outcome.errors.size(), 1U);
    EXPECT_EQ(outcome.errors[0].found, "the end of the file");
}

TEST_F(SettingsTest, a_member_that_stands_twice_is_refused) {
    const SettingsOutcome outcome = parse_settings(
        R"({"gateway":"a","gateway":"b","buses":[],"devices":[]})", {.drivers = drivers});
    ASSERT_EQ(outcome.errors.size(), 1U);
    EXPECT_EQ(outcome.errors[0].pointer, "/gateway");
    EXPECT_EQ(outcome.errors[0].found, "\"gateway\"");
}

TEST_F(SettingsTest, a_member_that_stands_twice_is_told_with_its_place_and_hides_no_other_error) {
    const SettingsOutcome outcome = parse_settings(
        R"({"gateway":"a","storage":{"size_mb":[1,{}]},"buses":[{"name":"x"},
            {"name":"q","type":"modbus_tcp","host":"h","name":"q"}],
            "devices":[{"name":"d","driver":"unheard-of","bus":"q"}]})",
        {.drivers = drivers});
    EXPECT_EQ(error_at(outcome, "/buses/1/name").found, "\"name\"");
    error_at(outcome, "/buses/0/type");
    error_at(outcome, "/devices/0/driver");
}

TEST_F(SettingsTest, the_same_member_in_two_objects_is_fine) {
    const SettingsOutcome outcome = parse(good());
    EXPECT_TRUE(outcome.errors.empty());
}

TEST_F(SettingsTest, endless_nesting_is_refused) {
    const SettingsOutcome outcome = parse_settings(std::string(200'000, '['), {.drivers = drivers});
    EXPECT_FALSE(outcome.settings.has_value());
    EXPECT_FALSE(outcome.errors.empty());
}

TEST_F(SettingsTest, a_file_beyond_one_mebibyte_is_refused) {
    const SettingsOutcome outcome =
        parse_settings(std::string(settings_size_max + 1, ' '), {.drivers = drivers});
    ASSERT_EQ(outcome.errors.size(), 1U);
    EXPECT_EQ(outcome.errors[0].reason, "more than 1 MiB");
}

TEST_F(SettingsTest, something_else_than_an_object_is_refused) {
    EXPECT_EQ(error_at(parse(Json::array()), "").reason, "must be an object");
}

TEST_F(SettingsTest, an_unknown_member_is_refused_with_the_nearest_known_name) {
    const SettingsError error =
        wrong_item("/buses", 0, R"({"timeout_sm":5})", "/buses/0/timeout_sm");
    EXPECT_EQ(error.remedy, "did you mean \"timeout_ms\"?");
}

TEST_F(SettingsTest, a_member_of_another_type_of_bus_is_refused) {
    EXPECT_EQ(wrong_item("/buses", 0, R"({"baud":9600})", "/buses/0/baud").reason,
              "nothing of this name is known here");
}

TEST_F(SettingsTest, no_value_of_an_unknown_member_is_shown) {
    for (const char* name : {"password", "pwd", "Password", "user_name", "pin", "tls_"}) {
        for (const char* value : {R"("hunter2")", R"(["hunter2"])", R"({"x":"hunter2"})"}) {
            const std::string change = fmt::format(R"({{"{}":{}}})", name, value);
            const std::string place = std::string("/sinks/0/") + name;
            const SettingsError error = wrong_item("/sinks", 0, change.c_str(), place);
            EXPECT_EQ(error.text().find("hunter2"), std::string::npos) << error.text();
            EXPECT_EQ(error.found, "(not shown)");
        }
    }
    EXPECT_EQ(wrong_item("/sinks", 0, R"({"password":"x"})", "/sinks/0/password").remedy,
              "did you mean \"password_file\"?");
    EXPECT_EQ(wrong(R"({"web":{"pin":4711}})", "/web/pin").found, "(not shown)");
}

TEST_F(SettingsTest, what_is_inside_of_a_member_of_the_wrong_type_is_not_shown) {
    EXPECT_EQ(wrong(R"({"sinks":{"pwd":"hunter2"}})", "/sinks").found, "an object of 1");
    EXPECT_EQ(wrong_item("/sinks", 0, R"({"tls":["hunter2"]})", "/sinks/0/tls").found,
              "a list of 1");
}

TEST_F(SettingsTest, what_stands_before_the_host_is_not_shown) {
    for (const char* host : {"u:hunter2@broker", "mqtt://u:hunter2@broker", "u:hunt@er2@broker"}) {
        const std::string change = fmt::format(R"({{"host":"{}"}})", host);
        EXPECT_EQ(wrong_item("/sinks", 0, change.c_str(), "/sinks/0/host").found,
                  "\"(not shown)@broker\"");
        EXPECT_EQ(wrong_item("/buses", 0, change.c_str(), "/buses/0/host").found,
                  "\"(not shown)@broker\"");
    }
    EXPECT_EQ(wrong(R"({"web":{"listen":"u:hunter2@0.0.0.0:80"}})", "/web/listen").found,
              "\"(not shown)@0.0.0.0:80\"");
}

TEST_F(SettingsTest, a_text_that_is_not_closed_is_not_shown) {
    for (const char* text :
         {"{\"gateway\":\"hunter2\n\"", "{\"gateway\":\"hunter2", "{\"a\":hunter2}"}) {
        const SettingsOutcome outcome = parse_settings(text, {.drivers = drivers});
        ASSERT_EQ(outcome.errors.size(), 1U);
        EXPECT_EQ(outcome.errors[0].text().find("unter2"), std::string::npos)
            << outcome.errors[0].text();
        EXPECT_NE(outcome.errors[0].reason.find("not JSON: syntax error"), std::string::npos);
    }
}

TEST_F(SettingsTest, a_missing_member_is_named) {
    EXPECT_EQ(wrong(R"({"gateway":null})", "/gateway").found, "nothing");
    EXPECT_EQ(wrong_item("/buses", 0, R"({"host":null})", "/buses/0/host").reason, "it is needed");
}

TEST_F(SettingsTest, a_wrong_type_says_what_is_expected) {
    const SettingsError error = wrong_item("/buses", 0, R"({"port":"502"})", "/buses/0/port");
    EXPECT_EQ(error.found, "\"502\"");
    EXPECT_EQ(error.reason, "must be an integer from 1 to 65535");
}

TEST_F(SettingsTest, a_number_out_of_range_says_the_range) {
    EXPECT_EQ(wrong_item("/buses", 0, R"({"port":70000})", "/buses/0/port").reason,
              "must be an integer from 1 to 65535");
    EXPECT_EQ(wrong_item("/devices", 1, R"({"poll_s":0})", "/devices/1/poll_s").found, "0");
    EXPECT_EQ(wrong_item("/buses", 0, R"({"port":18446744073709551615})", "/buses/0/port").found,
              "18446744073709551615");
}

TEST_F(SettingsTest, a_choice_says_what_there_is) {
    EXPECT_EQ(wrong_item("/buses", 1, R"({"parity":"evn"})", "/buses/1/parity").reason,
              "must be one of \"none\", \"even\", \"odd\"");
    EXPECT_EQ(wrong_item("/buses", 0, R"({"type":"modbus"})", "/buses/0/type").found, "\"modbus\"");
    EXPECT_EQ(wrong_item("/buses", 1, R"({"baud":1234})", "/buses/1/baud").found, "1234");
}

TEST_F(SettingsTest, a_name_with_other_characters_is_refused) {
    EXPECT_EQ(wrong(R"({"gateway":"Gate Way"})", "/gateway").found, "\"Gate Way\"");
    EXPECT_FALSE(parse_settings(R"({"gateway":")" + std::string(500'000, 'a') +
                                    R"(","buses":[],"devices":[]})",
                                {.drivers = drivers})
                     .settings.has_value());
}

TEST_F(SettingsTest, a_name_that_is_taken_names_its_owner) {
    EXPECT_EQ(wrong_item("/devices", 1, R"({"name":"grid"})", "/devices/1/name").reason,
              "the name is already taken by /devices/0/name");
    EXPECT_EQ(wrong_item("/sinks", 0, R"({"name":"grid"})", "/sinks/0/name").found, "\"grid\"");
}

TEST_F(SettingsTest, an_unknown_bus_is_refused_with_the_nearest) {
    EXPECT_EQ(wrong_item("/devices", 0, R"({"bus":"p2"})", "/devices/0/bus").remedy,
              "did you mean \"p1\"?");
}

TEST_F(SettingsTest, an_unknown_driver_is_refused_with_the_nearest) {
    EXPECT_EQ(wrong_item("/devices", 1, R"({"driver":"demometer"})", "/devices/1/driver").remedy,
              "did you mean \"demo_meter\"?");
}

TEST_F(SettingsTest, a_driver_on_the_wrong_kind_of_line_is_refused) {
    EXPECT_EQ(wrong_item("/devices", 0, R"({"bus":"rs485"})", "/devices/0/bus").remedy,
              "use a bus of type serial or tcp");
    EXPECT_EQ(wrong_item("/devices", 1, R"({"bus":"p1"})", "/devices/1/bus").found, "\"p1\"");
}

TEST_F(SettingsTest, two_devices_that_talk_by_themselves_cannot_share_a_line) {
    Json document = good();
    document["devices"].push_back({{"name", "second"}, {"driver", "p1"}, {"bus", "p1"}});
    EXPECT_EQ(error_at(parse(document), "/devices/2/bus").found, "\"p1\"");
}

TEST_F(SettingsTest, one_modbus_unit_is_not_read_twice) {
    Json document = good();
    document["devices"].push_back(
        {{"name", "second"}, {"driver", "demo_meter"}, {"bus", "pv-lan"}, {"unit", 7}});
    EXPECT_EQ(error_at(parse(document), "/devices/2/unit").found, "7");
}

TEST_F(SettingsTest, two_buses_on_one_serial_port_are_refused) {
    EXPECT_EQ(wrong_item("/buses", 3, R"({"device":"/dev/ttyUSB0"})", "/buses/3/device").reason,
              "/buses/1 already uses this port");
}

TEST_F(SettingsTest, two_buses_to_one_address_are_two_connections) {
    Json document = good();
    document["buses"][2]["host"] = "127.0.0.1";
    document["buses"][2]["port"] = 5020;
    const SettingsOutcome outcome = parse(document);
    EXPECT_TRUE(outcome.settings.has_value());
    EXPECT_TRUE(outcome.errors.empty());
}

TEST_F(SettingsTest, a_host_is_a_name_or_an_address_and_nothing_around_it) {
    for (const char* host :
         {"http://192.0.2.1", "192.0.2.1/x", "192.0.2.1:502", "[fe80::1]", "a b"}) {
        const std::string change = Json{{"host", host}}.dump();
        wrong_item("/buses", 0, change.c_str(), "/buses/0/host");
        wrong_item("/sinks", 0, change.c_str(), "/sinks/0/host");
    }
    for (const char* host : {"broker.example", "192.0.2.1", "2001:db8::1", "fe80::1%eth0"}) {
        Json document = good();
        document["sinks"][0]["host"] = host;
        EXPECT_TRUE(parse(document).errors.empty()) << host;
    }
}

TEST_F(SettingsTest, two_sinks_do_not_share_a_client_id_at_one_broker) {
    Json document = good();
    document["sinks"][0].erase("window");
    document["sinks"][0].erase("mode");
    document["sinks"].push_back(document["sinks"][0]);
    document["sinks"][1]["name"] = "second";
    EXPECT_EQ(error_at(parse(document), "/sinks/1/client_id").found, "\"gw-lindenweg\"");
    document["sinks"][1]["client_id"] = "gw-lindenweg-2";
    EXPECT_TRUE(parse(document).errors.empty());
    document["sinks"][1].erase("client_id");
    document["sinks"][1]["port"] = 1885;
    EXPECT_TRUE(parse(document).errors.empty());
}

TEST_F(SettingsTest, a_unit_that_nobody_answers_to_on_a_serial_line_is_refused) {
    for (const char* bus : {"rs485", "adapter"}) {
        for (const unsigned unit : {0U, 248U}) {
            const std::string change = Json{{"bus", bus}, {"unit", unit}}.dump();
            EXPECT_EQ(wrong_item("/devices", 1, change.c_str(), "/devices/1/unit").remedy,
                      "give its address, 1 to 247");
        }
    }
    Json document = good();
    document["devices"][1]["unit"] = 255;  // usual on TCP, where the address says who is meant
    EXPECT_TRUE(parse(document).errors.empty());
}

TEST_F(SettingsTest, a_store_of_no_size_is_one_error) {
    wrong(R"({"storage":{"size_mb":0}})", "/storage/size_mb");
}

TEST_F(SettingsTest, only_readings_can_be_kept_less_often) {
    wrong(R"({"storage":{"when_full":{"billing":"thin_out"}}})", "/storage/when_full/billing");
    wrong(R"({"storage":{"when_full":{"readings":"thin_out"}}})", "/storage/when_full/readings");
}

TEST_F(SettingsTest, a_store_of_too_few_segments_is_refused) {
    EXPECT_EQ(wrong(R"({"storage":{"size_mb":4}})", "/storage/segment_kb").found, "1024");
}

TEST_F(SettingsTest, a_window_belongs_to_its_mode_and_is_shorter_than_its_distance) {
    EXPECT_EQ(wrong_item("/sinks", 0, R"({"window":null})", "/sinks/0/window").found, "nothing");
    wrong_item("/sinks", 0, R"({"mode":"stay"})", "/sinks/0/window");
    EXPECT_EQ(wrong_item("/sinks", 0, R"({"window":{"for_s":300}})", "/sinks/0/window/for_s").found,
              "300");
}

TEST_F(SettingsTest, a_password_needs_a_user_and_a_certificate_its_key) {
    wrong_item("/sinks", 0, R"({"user":null})", "/sinks/0/password_file");
    const std::string certificate = file("cert.pem", "x");
    wrong_item(
        "/sinks", 0, Json{{"tls", {{"cert_file", certificate}}}}.dump().c_str(), "/sinks/0/tls");
}

TEST_F(SettingsTest, a_missing_file_is_named) {
    EXPECT_EQ(wrong_item(
                  "/sinks", 0, R"({"password_file":"/nowhere/password"})", "/sinks/0/password_file")
                  .reason,
              "the file cannot be opened");
    wrong_item("/sinks", 0, R"({"tls":{"ca_file":"/nowhere/ca"}})", "/sinks/0/tls/ca_file");
}

TEST_F(SettingsTest, files_are_left_alone_where_the_caller_says_so) {
    Json document = good();
    document["sinks"][0]["password_file"] = "/nowhere/password";
    EXPECT_TRUE(parse_settings(document.dump(), {.drivers = drivers, .read_files = false})
                    .settings.has_value());
}

TEST_F(SettingsTest, a_secret_that_everybody_may_read_is_refused) {
    const std::string open = file("open", "secret-canary", 0644);
    const SettingsError error = wrong_item(
        "/sinks", 0, Json{{"password_file", open}}.dump().c_str(), "/sinks/0/password_file");
    EXPECT_EQ(error.remedy, "chmod 600 " + open);
}

TEST_F(SettingsTest, an_empty_secret_is_refused) {
    const std::string empty = file("empty", "\n\n");
    wrong_item(
        "/sinks", 0, Json{{"password_file", empty}}.dump().c_str(), "/sinks/0/password_file");
}

TEST_F(SettingsTest, a_key_fits_its_method) {
    wrong_item("/commands/issuers", 0, R"({"key":"YQ"})", "/commands/issuers/0");
    wrong_item("/commands/issuers", 1, R"({"key":"YQ"})", "/commands/issuers/1");
    wrong_item("/commands/issuers", 2, R"({"key":null})", "/commands/issuers/2");
    EXPECT_EQ(
        wrong_item("/commands/issuers", 2, R"({"key":"YWJj"})", "/commands/issuers/2/key").found,
        "3 bytes");
    wrong_item("/commands/issuers", 2, R"({"key":"?"})", "/commands/issuers/2/key");
}

TEST_F(SettingsTest, a_listen_address_that_is_none_is_refused) {
    for (const char* listen : {"8080", "localhost", "127.0.0.1:x", "::1:80", "1.2.3:80", ":80"}) {
        const std::string change = Json{{"web", {{"listen", listen}}}}.dump();
        EXPECT_EQ(wrong(change.c_str(), "/web/listen").reason, "must be an IP address and a port")
            << listen;
    }
}

TEST_F(SettingsTest, an_address_for_others_needs_a_password) {
    const SettingsError error = wrong(R"({"web":{"listen":"0.0.0.0:80"}})", "/web/listen");
    EXPECT_EQ(error.reason, "others can reach this address and no password is set");
    Json document = good();
    document["web"]["listen"] = "0.0.0.0:80";
    document["web"]["password_scrypt"] = http::scrypt_text("correct horse", "0123456789abcdef");
    EXPECT_TRUE(parse(document).settings.has_value());
}

TEST_F(SettingsTest, a_weak_or_malformed_scrypt_is_refused_and_not_shown) {
    for (const char* text : {"canary", "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc$YQ"}) {
        const std::string change = Json{{"web", {{"password_scrypt", text}}}}.dump();
        EXPECT_EQ(wrong(change.c_str(), "/web/password_scrypt").found, "(not shown)");
    }
}

TEST_F(SettingsTest, all_errors_of_a_file_are_told_at_once) {
    Json document = good();
    document["gateway"] = 7;
    document["buses"][0]["port"] = 0;
    document["buses"][0]["colour"] = "red";
    document["buses"][0]["shape"] = "round";
    document["buses"][1].erase("device");
    document["devices"][0]["bus"] = "nowhere";
    document["devices"][1]["driver"] = "unheard-of";
    document["sinks"][0]["window"]["for_s"] = 400;
    document["web"]["listen"] = "0.0.0.0:80";
    const SettingsOutcome outcome = parse(document);
    for (const char* place : {"/gateway",
                              "/buses/0/port",
                              "/buses/0/colour",
                              "/buses/0/shape",
                              "/buses/1/device",
                              "/devices/0/bus",
                              "/devices/1/driver",
                              "/sinks/0/window/for_s",
                              "/web/listen"}) {
        error_at(outcome, place);
    }
    EXPECT_EQ(outcome.errors.size(), 9U);
}

TEST_F(SettingsTest, no_change_of_one_byte_makes_the_reader_fail_otherwise_than_by_an_error) {
    const std::string text = good().dump();
    std::size_t refused = 0;
    for (std::size_t at = 0; at < text.size(); at += 37) {
        for (const char byte : {'\0', '"', '{', ']', '9', '\xFF'}) {
            std::string changed = text;
            changed[at] = byte;
            const SettingsOutcome outcome =
                parse_settings(changed, {.drivers = drivers, .read_files = false});
            EXPECT_NE(outcome.settings.has_value(), !outcome.errors.empty());
            refused += outcome.errors.empty() ? 0 : 1;
        }
    }
    EXPECT_GT(refused, 50U);
}

TEST_F(SettingsTest, load_reads_a_file_and_names_one_that_is_missing) {
    const std::string path = file("settings.json", good().dump());
    EXPECT_TRUE(load_settings(path, {.drivers = drivers}).settings.has_value());
    EXPECT_EQ(load_settings("/nowhere/x", {.drivers = drivers}).errors.at(0).found, "/nowhere/x");
    EXPECT_FALSE(load_settings(folder_, {.drivers = drivers}).errors.empty());
}

TEST(SettingsSchema, is_a_document_of_draft_7) {
    const Json schema = Json::parse(settings_schema());
    EXPECT_EQ(schema["$schema"], "http://json-schema.org/draft-07/schema#");
}

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
    out << value;
};

TEST(SecretTest, cannot_be_printed) {
    static_assert(!Printable<Secret>);
    static_assert(!fmt::is_formattable<Secret>::value);
    static_assert(!std::is_convertible_v<Secret, std::string_view>);
    EXPECT_EQ(Secret("canary").reveal(), "canary");
}

TEST(PasswordTest, the_right_one_fits_and_no_other) {
    const std::string text = http::scrypt_text("correct horse", "0123456789abcdef");
    const auto parsed = http::parse_scrypt(text);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_TRUE(http::verify_password("correct horse", *parsed));
    EXPECT_FALSE(http::verify_password("correct hors", *parsed));
    EXPECT_FALSE(http::verify_password("", *parsed));
}

}  // namespace
}  // namespace jw
