// SPDX-License-Identifier: Apache-2.0
#pragma once
// FakeBroker: a broker for the tests that does what the script says, however wrong; and a real
// mosquitto as a process of its own.
#include <boost/asio/ip/tcp.hpp>
#include <csignal>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/fakes.h"
#include "host/loop.h"

namespace jw::test {

class FakeBroker {
  public:
    explicit FakeBroker(Loop& loop);
    [[nodiscard]] std::uint16_t port() const { return port_; }

    /// The packet that answers a CONNECT of that protocol version; empty: nothing is said.
    std::function<std::string(int version)> connack = [](int version) {
        return version == 5 ? std::string("\x20\x03\x00\x00\x00", 5)
                            : std::string("\x20\x02\x00\x00", 4);
    };
    /// What happens to a PUBLISH; acknowledged where nothing is set.
    std::function<void(int mid)> published;
    void acknowledge(int mid, int code = 0);
    void send(const std::string& packet);
    void close();
    /// The client hung up.
    [[nodiscard]] bool gone() const { return gone_; }

    int connects = 0;
    int version = 0;                    // of the last CONNECT
    std::vector<std::string> payloads;  // of this connection
    std::vector<int> flags;             // the fixed headers of these messages
    std::vector<std::string> topics;
    std::vector<std::string> properties;  // as they came; empty in 3.1.1
    std::size_t open_most = 0;            // messages of QoS 1 that were unacknowledged at once
    bool left_in_order = false;           // DISCONNECT came, not asking for the will
    bool left_with_will = false;          // DISCONNECT came, asking for it (MQTT 5)

  private:
    using Tcp = boost::asio::ip::tcp;
    void accept();
    void read();
    bool take_packet();
    void take_publish(int header, const std::string& body);

    Loop& loop_;
    Tcp::acceptor acceptor_;
    std::unique_ptr<Tcp::socket> peer_;
    std::uint16_t port_;
    std::string incoming_;
    std::array<char, 4096> buffer_{};
    std::size_t open_ = 0;
    bool gone_ = false;
    Guard guard_;
};

/// A port on loopback that nobody listens on now.
std::uint16_t free_port();

/// Runs a program to its end with no input and output of its own; says whether it ended well.
bool run_program(std::vector<std::string> words);

/// mosquitto with a configuration of the test; killed at the end.
class Mosquitto {
  public:
    /// `more` is appended to the configuration. `listener` lines are the test's; without any there
    /// is one for anonymous clients on port().
    explicit Mosquitto(const std::string& more = "allow_anonymous true\n");
    Mosquitto(const Mosquitto&) = delete;
    Mosquitto& operator=(const Mosquitto&) = delete;
    ~Mosquitto();
    [[nodiscard]] std::uint16_t port() const { return port_; }
    void signal(int number) const { (void)::kill(pid_, number); }
    void start();
    void stop();

  private:
    TempFolder folder_;
    std::uint16_t port_;
    int pid_ = -1;
};

}  // namespace jw::test
