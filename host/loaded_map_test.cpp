// SPDX-License-Identifier: Apache-2.0
// A device that no driver knows: its map stands in a file that the settings name, and it is polled
// over a real connection.
#include <gtest/gtest.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/bus/modbus_frame.h"
#include "core/codec/modbus.h"
#include "core/device/registers/fake_device.h"
#include "host/device_description.h"
#include "host/fakes.h"
#include "host/settings.h"
#include "host/tcp_bus.h"

namespace jw {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// A Modbus TCP server with a few holding registers from address 10 on.
class RegisterServer {
  public:
    explicit RegisterServer(Loop& loop)
        : acceptor_(loop.io(), tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
        acceptor_.async_accept([this](const auto& error, tcp::socket socket) {
            if (!error) {
                peer_ = std::make_unique<tcp::socket>(std::move(socket));
                read();
            }
        });
    }
    [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  private:
    static constexpr std::uint16_t first = 10;
    // -1520 W as i32, then 2301 tenths of a volt.
    static constexpr std::array<std::uint8_t, 6> registers{0xFF, 0xFF, 0xFA, 0x10, 0x08, 0xFD};

    void read() {
        asio::async_read(*peer_, asio::buffer(question_), [this](const auto& error, std::size_t) {
            if (!error) {
                answer();
                read();
            }
        });
    }
    void answer() {
        const auto frame = modbus::take_tcp(question_);
        ASSERT_TRUE(frame);
        const auto request = modbus::decode_request(frame->pdu);
        ASSERT_TRUE(request);
        ASSERT_EQ(request->function, modbus::Function::read_holding_registers);
        ASSERT_TRUE(request->address >= first && request->address + request->count <= first + 3);
        modbus::Reply reply;
        reply.function = request->function;
        reply.data = Bytes(registers).subspan((request->address - first) * 2U, request->count * 2U);
        std::array<std::uint8_t, 64> pdu_bytes{};
        Writer pdu(pdu_bytes);
        ASSERT_TRUE(modbus::encode_reply(pdu, reply));
        std::array<std::uint8_t, 64> bytes{};
        Writer out(bytes);
        modbus::put_tcp(out, frame->transaction, frame->unit, pdu.written());
        asio::write(*peer_, asio::buffer(out.written().data(), out.written().size()));
    }

    tcp::acceptor acceptor_;
    std::unique_ptr<tcp::socket> peer_;
    std::array<std::uint8_t, 12> question_{};
};

class LoadedMapTest : public ::testing::Test {
  protected:
    std::string file(const std::string& name, const std::string& text) {
        std::string path = folder_.path() + "/" + name;
        std::ofstream(path) << text;
        return path;
    }
    /// A map of two values as the file NAME.json.
    std::string map_file(const std::string& name) {
        return file(name + ".json",
                    R"({"name":")" + name + R"(","title":"Acme boiler","source":"its manual",
            "identity":{"maker":"Acme","model":"B1"},
            "blocks":[{"table":"holding","start":10,"count":3}],
            "rows":[{"name":"power_w","table":"holding","address":10,"format":"i32"},
                    {"name":"voltage_l1_mv","table":"holding","address":12,"format":"u16",
                     "multiply":100}]})");
    }
    static SettingsOutcome parse(const nlohmann::json& devices) {
        const nlohmann::json document{
            {"gateway", "gw-1"},
            {"buses", {{{"name", "lan"}, {"type", "modbus_tcp"}, {"host", "127.0.0.1"}}}},
            {"devices", devices}};
        return parse_settings(document.dump(), {});
    }

    test::TempFolder folder_;
    Loop loop_;
};

TEST_F(LoadedMapTest, a_device_is_polled_by_the_map_that_its_settings_name) {
    const SettingsOutcome outcome =
        parse({{{"name", "boiler"}, {"bus", "lan"}, {"map", map_file("acme_b1")}}});
    ASSERT_TRUE(outcome.settings) << outcome.errors[0].text();
    const GatewaySettings::Device& device = outcome.settings->devices[0];
    EXPECT_STREQ(device.driver->name, "acme_b1");
    std::vector<std::byte> memory(device.driver->memory);
    Arena arena{memory};
    registers::Recorder told;
    ModbusClient* client = device.driver->make(arena, device.settings, told)->modbus();

    RegisterServer server(loop_);
    TcpBus bus(loop_, {.name = "lan", .host = "127.0.0.1", .port = server.port()});
    std::array<ModbusOpenRequest, 1> open{};
    std::array<std::uint8_t, modbus_buffer_size> in{};
    std::array<std::uint8_t, modbus_buffer_size> out{};
    ModbusLine line(bus, {}, std::span<ModbusClient* const>(&client, 1), {open, in, out});
    bus.start(line);
    loop_.use_step([&](Instant now) { return line.step(now); });
    ASSERT_TRUE(loop_.run_until([&] { return told.readings > 0; }, seconds(20)));
    EXPECT_EQ(told.last.device, "boiler");
    EXPECT_EQ(told.last.values.find(Quantity::power_w)->number, -1520);
    EXPECT_EQ(told.last.values.find(Quantity::voltage_mv, 1)->number, 230'100);
    EXPECT_EQ(told.info.maker, "Acme");
}

TEST_F(LoadedMapTest, settings_outlive_the_outcome_that_read_their_map) {
    GatewaySettings copy;
    {
        const SettingsOutcome outcome =
            parse({{{"name", "boiler"}, {"bus", "lan"}, {"map", map_file("acme_b1")}}});
        copy = *outcome.settings;
    }
    EXPECT_STREQ(copy.devices[0].driver->name, "acme_b1");
    EXPECT_EQ(copy.devices[0].settings.map->rows.size(), 2U);
    EXPECT_EQ(copy.devices[0].settings.driver, "acme_b1");
}

TEST_F(LoadedMapTest, every_error_of_a_map_is_told_once_at_the_first_device_that_names_it) {
    const std::string path = file("acme_b1.json", R"({"name":"other","rows":[]})");
    const SettingsOutcome outcome =
        parse({{{"name", "one"}, {"bus", "lan"}, {"map", path}},
               {{"name", "two"}, {"bus", "lan"}, {"map", path}, {"unit", 2}}});
    ASSERT_FALSE(outcome.settings);
    for (const SettingsError& error : outcome.errors) {
        EXPECT_EQ(error.pointer, "/devices/0/map") << error.text();
    }
    EXPECT_GE(outcome.errors.size(), 4U);  // title, source, identity and blocks are missing
    EXPECT_EQ(outcome.errors[0].found.substr(0, path.size()), path);
}

TEST_F(LoadedMapTest, a_map_that_is_not_there_is_refused) {
    const SettingsOutcome outcome =
        parse({{{"name", "one"}, {"bus", "lan"}, {"map", "/nowhere/acme_b1.json"}}});
    ASSERT_EQ(outcome.errors.size(), 1U);
    EXPECT_EQ(outcome.errors[0].text(),
              "/devices/0/map: /nowhere/acme_b1.json: cannot be read. mend that file "
              "(docs/formats/devices.md)");
}

TEST_F(LoadedMapTest, a_device_has_either_a_driver_or_a_map) {
    const SettingsOutcome both =
        parse({{{"name", "one"}, {"bus", "lan"}, {"driver", "p1"}, {"map", map_file("acme_b1")}}});
    ASSERT_EQ(both.errors.size(), 1U);
    EXPECT_EQ(both.errors[0].text(),
              "/devices/0/driver: \"p1\": driver and map both say what the device is. give one of "
              "the two");
    const SettingsOutcome none = parse({{{"name", "one"}, {"bus", "lan"}}});
    ASSERT_EQ(none.errors.size(), 1U);
    EXPECT_EQ(none.errors[0].text(),
              "/devices/0/driver: missing: neither driver nor map says what the device is. give "
              "one of the two");
}

}  // namespace
}  // namespace jw
