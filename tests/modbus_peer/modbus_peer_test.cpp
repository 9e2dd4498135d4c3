// SPDX-License-Identifier: Apache-2.0
// libmodbus, which shares no line with this project, as server against our line and as client
// against our simulated server: over TCP on loopback and as RTU over a pty.
#include <gtest/gtest.h>
#include <modbus/modbus.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <memory>
#include <thread>
#include <vector>

#include "core/bus/modbus_line.h"
#include "core/codec/modbus.h"
#include "sim/modbus_server.h"
#include "tests/modbus_peer/wire.h"

namespace jw::peer {
namespace {

using modbus::Function;
using modbus::Request;

struct FreeContext {
    void operator()(modbus_t* context) const {
        modbus_close(context);
        modbus_free(context);
    }
};
using Context = std::unique_ptr<modbus_t, FreeContext>;

constexpr int unit = 17;

/// libmodbus serving one connection in a thread until that ends. Coils 0…99 are on where the
/// address is a multiple of 3, discrete inputs where of 5; holding register n holds 1000 + n,
/// input register n 2000 + n.
class TheirServer {
  public:
    TheirServer() : mapping_(modbus_mapping_new(100, 100, 200, 200)) {
        for (int i = 0; i < 100; ++i) {
            mapping_->tab_bits[i] = i % 3 == 0 ? 1 : 0;
            mapping_->tab_input_bits[i] = i % 5 == 0 ? 1 : 0;
        }
        for (int i = 0; i < 200; ++i) {
            mapping_->tab_registers[i] = static_cast<std::uint16_t>(1000 + i);
            mapping_->tab_input_registers[i] = static_cast<std::uint16_t>(2000 + i);
        }
    }
    ~TheirServer() {
        if (thread_.joinable()) {
            ::shutdown(listening_.get(), SHUT_RDWR);  // where nobody ever connected
            thread_.join();
        }
        modbus_mapping_free(mapping_);
    }
    TheirServer(const TheirServer&) = delete;
    TheirServer& operator=(const TheirServer&) = delete;

    /// Gives the port.
    int start_tcp() {
        context_.reset(modbus_new_tcp("127.0.0.1", 0));
        listening_.reset(modbus_tcp_listen(context_.get(), 1));
        const int port = port_of(listening_.get());
        thread_ = std::thread([this] {
            int listening = listening_.get();
            if (modbus_tcp_accept(context_.get(), &listening) >= 0) {
                serve();
            }
        });
        return port;
    }
    void start_rtu(const std::string& path) {
        context_.reset(modbus_new_rtu(path.c_str(), 9600, 'N', 8, 1));
        modbus_set_slave(context_.get(), unit);
        modbus_set_byte_timeout(context_.get(), 0, 50'000);
        ASSERT_EQ(modbus_connect(context_.get()), 0) << modbus_strerror(errno);
        thread_ = std::thread([this] { serve(); });
    }

  private:
    void serve() {
        std::array<std::uint8_t, MODBUS_TCP_MAX_ADU_LENGTH> query{};
        // Ends when our side closes: on a pty the read fails, on TCP the connection is reset.
        for (;;) {
            const int size = modbus_receive(context_.get(), query.data());
            if (size > 0) {
                modbus_reply(context_.get(), query.data(), size, mapping_);
            } else if (size < 0 && (errno == ECONNRESET || errno == EIO || errno == EBADF)) {
                return;
            }
        }
    }

    modbus_mapping_t* mapping_;
    Context context_;
    Descriptor listening_;
    std::thread thread_;
};

/// Asks one request after the other and keeps the answers.
class Questions final : public ModbusClient {
  public:
    explicit Questions(std::vector<Request> requests, int of_unit = unit)
        : requests_(std::move(requests)), unit_(static_cast<std::uint8_t>(of_unit)) {}
    [[nodiscard]] Instant due() const override {
        return waiting_ || finished() ? never : Instant{0};
    }
    std::uint8_t ask(Writer& pdu, Instant) override {
        waiting_ = true;
        EXPECT_TRUE(modbus::encode_request(pdu, requests_[answers.size()]));
        return unit_;
    }
    void answered(Bytes pdu, Instant) override {
        waiting_ = false;
        const auto reply = modbus::decode_reply(pdu);
        EXPECT_TRUE(reply) << code_name(reply.code());
        if (reply) {
            EXPECT_TRUE(modbus::check_reply(*reply, requests_[answers.size()]));
        }
        answers.emplace_back(pdu.begin(), pdu.end());
    }
    void failed(Error error, Instant) override {
        waiting_ = false;
        failures.push_back(error.code);
        answers.emplace_back();
    }
    [[nodiscard]] bool finished() const { return answers.size() == requests_.size(); }

    std::vector<std::vector<std::uint8_t>> answers;
    std::vector<Code> failures;

  private:
    std::vector<Request> requests_;
    std::uint8_t unit_;
    bool waiting_ = false;
};

Request request(Function function, int address, int count, Bytes data = {}) {
    Request made;
    made.function = function;
    made.address = static_cast<std::uint16_t>(address);
    made.count = static_cast<std::uint16_t>(count);
    made.data = data;
    return made;
}

constexpr std::array<std::uint8_t, 2> on{0xFF, 0};
constexpr std::array<std::uint8_t, 2> number{0x12, 0x34};
constexpr std::array<std::uint8_t, 2> ten_bits{0xCD, 0x01};
constexpr std::array<std::uint8_t, 6> three{0, 1, 0, 2, 0xFF, 0xFE};

std::vector<Request> every_function() {
    Request exchange = request(Function::read_write_registers, 30, 2, three);
    exchange.write_address = 30;
    std::vector<Request> requests{
        request(Function::read_coils, 0, 10),
        request(Function::read_discrete_inputs, 0, 10),
        request(Function::read_holding_registers, 7, 2),
        request(Function::read_input_registers, 0, 125),
        request(Function::write_coil, 1, 1, on),
        request(Function::write_register, 20, 1, number),
        request(Function::write_coils, 2, 10, ten_bits),
        request(Function::write_registers, 21, 3, three),
        exchange,
        request(Function::read_coils, 0, 12),
        request(Function::read_holding_registers, 20, 4),
        request(Function::read_holding_registers, 199, 2),  // beyond the end
    };
    return requests;
}

void expect_every_answer(const Questions& questions) {
    using Pdu = std::vector<std::uint8_t>;
    ASSERT_EQ(questions.answers.size(), 12U);
    EXPECT_TRUE(questions.failures.empty());
    const auto& answers = questions.answers;
    EXPECT_EQ(answers[0], Pdu({1, 2, 0x49, 0x02}));
    EXPECT_EQ(answers[1], Pdu({2, 2, 0x21, 0x00}));
    EXPECT_EQ(answers[2], Pdu({3, 4, 0x03, 0xEF, 0x03, 0xF0}));
    ASSERT_EQ(answers[3].size(), 252U);
    EXPECT_EQ(modbus::register_at(Bytes(answers[3]).subspan(2), 124), 2124);
    EXPECT_EQ(answers[4], Pdu({5, 0, 1, 0xFF, 0}));
    EXPECT_EQ(answers[5], Pdu({6, 0, 20, 0x12, 0x34}));
    EXPECT_EQ(answers[6], Pdu({15, 0, 2, 0, 10}));
    EXPECT_EQ(answers[7], Pdu({16, 0, 21, 0, 3}));
    EXPECT_EQ(answers[8], Pdu({23, 4, 0, 1, 0, 2}));
    EXPECT_EQ(answers[9], Pdu({1, 2, 0x37, 0x07}));
    EXPECT_EQ(answers[10], Pdu({3, 8, 0x12, 0x34, 0, 1, 0, 2, 0xFF, 0xFE}));
    EXPECT_EQ(answers[11], Pdu({0x83, 2}));
}

/// Our line with what it works in.
struct OurLine {
    OurLine(int fd, const ModbusLineSettings& settings, std::vector<ModbusClient*> of)
        : bus(fd), clients(std::move(of)), line(bus, settings, clients, {open, in, out}) {
        line.connected(now());
    }
    DescriptorBus bus;
    std::vector<ModbusClient*> clients;
    std::array<ModbusOpenRequest, 4> open;
    std::array<std::uint8_t, modbus_buffer_size> in{};
    std::array<std::uint8_t, modbus_buffer_size> out{};
    ModbusLine line;
};

ModbusLineSettings settings_of(ModbusFraming framing) {
    ModbusLineSettings settings;
    settings.framing = framing;
    settings.timeout = seconds(5);
    return settings;
}

TEST(modbus_peer, our_line_reads_and_writes_a_libmodbus_server_over_tcp) {
    TheirServer server;
    const Descriptor fd = connect_to_loopback(server.start_tcp());
    Questions questions(every_function());
    OurLine ours(fd.get(), settings_of(ModbusFraming::tcp), {&questions});
    EXPECT_TRUE(drive(ours.line, fd.get(), [&] { return questions.finished(); }));
    expect_every_answer(questions);
}

TEST(modbus_peer, our_line_reads_and_writes_a_libmodbus_server_over_a_pty) {
    Pty pty = open_pty();
    TheirServer server;
    server.start_rtu(pty.theirs);
    pty.held.reset(-1);
    {
        const Descriptor fd = std::move(pty.ours);  // closed before the server is waited for
        Questions questions(every_function());
        OurLine ours(fd.get(), settings_of(ModbusFraming::rtu), {&questions});
        EXPECT_TRUE(drive(ours.line, fd.get(), [&] { return questions.finished(); }));
        expect_every_answer(questions);
    }
}

TEST(modbus_peer, a_libmodbus_server_refuses_what_it_does_not_know) {
    TheirServer server;
    const Descriptor fd = connect_to_loopback(server.start_tcp());
    Questions questions({request(Function::read_identification, 0, 0)});
    OurLine ours(fd.get(), settings_of(ModbusFraming::tcp), {&questions});
    EXPECT_TRUE(drive(ours.line, fd.get(), [&] { return questions.finished(); }));
    EXPECT_EQ(questions.answers[0], std::vector<std::uint8_t>({0xAB, 1}));
}

TEST(modbus_peer, a_unit_that_is_not_there_is_a_timeout_and_the_others_come_back) {
    Pty pty = open_pty();
    TheirServer server;
    server.start_rtu(pty.theirs);
    pty.held.reset(-1);
    {
        const Descriptor fd = std::move(pty.ours);
        Questions missing({request(Function::read_holding_registers, 0, 1)}, unit + 1);
        // After a request for another unit libmodbus takes the next one for the answer to it, so
        // some of these stay without an answer.
        Questions present(std::vector(5, request(Function::read_holding_registers, 0, 1)));
        ModbusLineSettings settings = settings_of(ModbusFraming::rtu);
        settings.timeout = milliseconds(200);
        OurLine ours(fd.get(), settings, {&missing, &present});
        EXPECT_TRUE(
            drive(ours.line, fd.get(), [&] { return missing.finished() && present.finished(); }));
        ASSERT_EQ(missing.failures.size(), 1U);
        EXPECT_EQ(missing.failures[0], Code::timeout);
        EXPECT_EQ(present.answers.back(), std::vector<std::uint8_t>({3, 2, 0x03, 0xE8}));
    }
}

TEST(modbus_peer, a_libmodbus_server_answers_questions_that_are_open_together) {
    TheirServer server;
    const Descriptor fd = connect_to_loopback(server.start_tcp());
    Questions low(std::vector(50, request(Function::read_holding_registers, 1, 1)));
    Questions high(std::vector(50, request(Function::read_holding_registers, 101, 1)));
    ModbusLineSettings settings = settings_of(ModbusFraming::tcp);
    settings.open_requests_max = 2;
    OurLine ours(fd.get(), settings, {&low, &high});
    EXPECT_TRUE(drive(ours.line, fd.get(), [&] { return low.finished() && high.finished(); }));
    for (const auto& answer : low.answers) {
        EXPECT_EQ(answer, std::vector<std::uint8_t>({3, 2, 0x03, 0xE9}));
    }
    for (const auto& answer : high.answers) {
        EXPECT_EQ(answer, std::vector<std::uint8_t>({3, 2, 0x04, 0x4D}));
    }
}

sim::ModbusUnit our_unit() {
    sim::ModbusUnit made;
    made.id = unit;
    for (std::uint16_t i = 0; i < 200; ++i) {
        made.holding.set(i, static_cast<std::uint16_t>(1000 + i));
        made.input.set(i, static_cast<std::uint16_t>(2000 + i));
        made.coils.set(i, i % 3 == 0 ? 1 : 0);
        made.discrete_inputs.set(i, i % 5 == 0 ? 1 : 0);
    }
    return made;
}

/// libmodbus asks everything that it can, of a server that holds what TheirServer holds.
void expect_obedience(modbus_t* client) {
    std::array<std::uint8_t, 2000> bits{};
    std::array<std::uint16_t, 125> registers{};
    ASSERT_EQ(modbus_read_bits(client, 0, 10, bits.data()), 10) << modbus_strerror(errno);
    EXPECT_TRUE(bits[0] == 1 && bits[1] == 0 && bits[3] == 1 && bits[9] == 1);
    ASSERT_EQ(modbus_read_input_bits(client, 0, 6, bits.data()), 6);
    EXPECT_TRUE(bits[0] == 1 && bits[4] == 0 && bits[5] == 1);
    ASSERT_EQ(modbus_read_registers(client, 7, 2, registers.data()), 2);
    EXPECT_TRUE(registers[0] == 1007 && registers[1] == 1008);
    ASSERT_EQ(modbus_read_input_registers(client, 0, 125, registers.data()), 125);
    EXPECT_EQ(registers[124], 2124);
    ASSERT_EQ(modbus_write_bit(client, 1, 1), 1);
    ASSERT_EQ(modbus_write_register(client, 20, 0x1234), 1);
    const std::array<std::uint8_t, 10> pattern{1, 0, 1, 1, 0, 0, 1, 1, 1, 0};
    ASSERT_EQ(modbus_write_bits(client, 2, 10, pattern.data()), 10);
    ASSERT_EQ(modbus_read_bits(client, 1, 11, bits.data()), 11);
    EXPECT_EQ(bits[0], 1);
    EXPECT_TRUE(std::equal(pattern.begin(), pattern.end(), bits.begin() + 1));
    const std::array<std::uint16_t, 3> values{1, 2, 0xFFFE};
    ASSERT_EQ(modbus_write_registers(client, 21, 3, values.data()), 3);
    ASSERT_EQ(modbus_read_registers(client, 20, 4, registers.data()), 4);
    EXPECT_TRUE(registers[0] == 0x1234 && registers[3] == 0xFFFE);
    ASSERT_EQ(
        modbus_write_and_read_registers(client, 30, 3, values.data(), 30, 2, registers.data()), 2);
    EXPECT_TRUE(registers[0] == 1 && registers[1] == 2);
    EXPECT_EQ(modbus_read_registers(client, 199, 2, registers.data()), -1);
    EXPECT_EQ(errno, EMBXILADD);
    EXPECT_EQ(modbus_mask_write_register(client, 1, 0xF2, 0x25), -1);
    EXPECT_EQ(errno, EMBXILFUN);
    ASSERT_EQ(modbus_read_registers(client, 0, 1, registers.data()), 1);
}

TEST(modbus_peer, a_libmodbus_client_reads_and_writes_our_server_over_tcp) {
    int port = 0;
    const Descriptor listening = listen_on_loopback(port);
    std::vector<sim::ModbusUnit> units{our_unit()};
    sim::ModbusServer server(ModbusFraming::tcp, units);
    const ServerThread thread(server, listening.get(), -1);
    const Context client(modbus_new_tcp("127.0.0.1", port));
    modbus_set_slave(client.get(), unit);
    modbus_set_response_timeout(client.get(), 5, 0);
    ASSERT_EQ(modbus_connect(client.get()), 0) << modbus_strerror(errno);
    expect_obedience(client.get());
}

TEST(modbus_peer, a_libmodbus_client_reads_and_writes_our_server_over_a_pty) {
    const Pty pty = open_pty();
    std::vector<sim::ModbusUnit> units{our_unit()};
    sim::ModbusServer server(ModbusFraming::rtu, units);
    const ServerThread thread(server, -1, pty.ours.get());
    const Context client(modbus_new_rtu(pty.theirs.c_str(), 19200, 'E', 8, 1));
    modbus_set_slave(client.get(), unit);
    modbus_set_response_timeout(client.get(), 5, 0);
    ASSERT_EQ(modbus_connect(client.get()), 0) << modbus_strerror(errno);
    expect_obedience(client.get());
}

TEST(modbus_peer, a_libmodbus_client_notices_each_fault_of_our_server) {
    int port = 0;
    const Descriptor listening = listen_on_loopback(port);
    std::vector<sim::ModbusUnit> units{our_unit()};
    sim::ModbusServer server(ModbusFraming::tcp, units);
    server.faults.exception_percent = 100;
    server.faults.exception = modbus::Exception::device_busy;
    const ServerThread thread(server, listening.get(), -1);
    const Context client(modbus_new_tcp("127.0.0.1", port));
    modbus_set_slave(client.get(), unit);
    ASSERT_EQ(modbus_connect(client.get()), 0) << modbus_strerror(errno);
    std::uint16_t value = 0;
    EXPECT_EQ(modbus_read_registers(client.get(), 0, 1, &value), -1);
    EXPECT_EQ(errno, EMBXSBUSY);
}

}  // namespace
}  // namespace jw::peer
