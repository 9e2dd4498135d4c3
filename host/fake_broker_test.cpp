// SPDX-License-Identifier: Apache-2.0
// FakeBroker: the few packets of MQTT that the tests need.
#include "host/fake_broker.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <fstream>
#include <stdexcept>

namespace jw::test {
namespace asio = boost::asio;

namespace {

/// Two bytes, the higher first.
std::uint16_t number_at(const std::string& body, std::size_t at) {
    const auto high = static_cast<unsigned char>(body[at]);
    const auto low = static_cast<unsigned char>(body[at + 1]);
    return static_cast<std::uint16_t>(high << 8 | low);
}

}  // namespace

FakeBroker::FakeBroker(Loop& loop)
    : loop_(loop),
      acceptor_(loop.io(), Tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      port_(acceptor_.local_endpoint().port()) {
    accept();
}

void FakeBroker::accept() {
    acceptor_.async_accept(guard_([this](const auto& error, Tcp::socket socket) {
        if (error) {
            return;
        }
        peer_ = std::make_unique<Tcp::socket>(std::move(socket));
        incoming_.clear();
        payloads.clear();
        flags.clear();
        open_ = 0;
        gone_ = false;
        ++connects;
        accept();
        read();
    }));
}

void FakeBroker::read() {
    peer_->async_read_some(asio::buffer(buffer_),
                           guard_([this, peer = peer_.get()](const auto& error, std::size_t size) {
                               if (error || peer != peer_.get()) {
                                   gone_ = gone_ || peer == peer_.get();
                                   return;
                               }
                               incoming_.append(buffer_.data(), size);
                               while (peer_ && take_packet()) {
                               }
                               if (peer == peer_.get()) {
                                   read();
                               }
                           }));
}

bool FakeBroker::take_packet() {
    std::size_t length = 0;
    std::size_t at = 1;
    for (unsigned shift = 0;; shift += 7, ++at) {
        if (at >= incoming_.size()) {
            return false;
        }
        length |= static_cast<std::size_t>(incoming_[at] & 0x7F) << shift;
        if ((incoming_[at] & 0x80) == 0) {
            break;
        }
    }
    ++at;
    if (incoming_.size() < at + length) {
        return false;
    }
    const int header = static_cast<unsigned char>(incoming_[0]);
    const std::string body = incoming_.substr(at, length);
    incoming_.erase(0, at + length);
    switch (header >> 4) {
        case 1:
            version = body[6];  // behind the length and the name "MQTT"
            send(connack(version));
            break;
        case 3:
            take_publish(header, body);
            break;
        case 12:
            send(std::string("\xD0\x00", 2));
            break;
        case 14:
            left_with_will = !body.empty() && body[0] == 4;
            left_in_order = !left_with_will;
            break;
        default:
            break;
    }
    return true;
}

void FakeBroker::take_publish(int header, const std::string& body) {
    std::size_t at = 2 + number_at(body, 0);
    topics.push_back(body.substr(2, at - 2));
    int mid = 0;
    if ((header & 6) != 0) {
        mid = number_at(body, at);
        at += 2;
        open_most = std::max(open_most, ++open_);
    }
    const std::size_t size = version == 5 ? static_cast<unsigned char>(body[at++]) : 0;
    properties.push_back(body.substr(at, size));
    at += size;
    payloads.push_back(body.substr(at));
    flags.push_back(header);
    if (published) {
        published(mid);
    } else if (mid != 0) {
        acknowledge(mid);
    }
}

void FakeBroker::acknowledge(int mid, int code) {
    const char high = static_cast<char>(mid >> 8);
    const char low = static_cast<char>(mid & 0xFF);
    --open_;
    send(version == 5 ? std::string{0x40, 3, high, low, static_cast<char>(code)}
                      : std::string{0x40, 2, high, low});
}

void FakeBroker::send(const std::string& packet) {
    boost::system::error_code ignored;
    if (peer_ && !packet.empty()) {
        asio::write(*peer_, asio::buffer(packet), ignored);
    }
}

void FakeBroker::close() {
    peer_.reset();
}

std::uint16_t free_port() {
    asio::io_context io;
    const asio::ip::tcp::acceptor probe(
        io, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    return probe.local_endpoint().port();
}

bool run_program(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (const int fd : {0, 1, 2}) {
        posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    }
    char path[] = "PATH=/usr/bin:/bin";
    char* environment[] = {path, nullptr};
    int pid = -1;
    const int failed =
        posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environment);
    posix_spawn_file_actions_destroy(&actions);
    int status = -1;
    return failed == 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

Mosquitto::Mosquitto(const std::string& more) : port_(free_port()) {
    std::ofstream file(folder_.path() + "/mosquitto.conf");
    file << "listener " << port_ << " 127.0.0.1\n" << more;
    if (geteuid() == 0) {
        file << "user root\n";
    }
    file.close();
    start();
}

Mosquitto::~Mosquitto() {
    stop();
}

void Mosquitto::start() {
    std::string program = "/usr/sbin/mosquitto";
    std::string option = "-c";
    std::string path = folder_.path() + "/mosquitto.conf";
    char* arguments[] = {program.data(), option.data(), path.data(), nullptr};
    const std::string log = folder_.path() + "/log";
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, log.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    char* environment[] = {nullptr};
    const int failed =
        posix_spawn(&pid_, program.c_str(), &actions, nullptr, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        throw std::runtime_error("mosquitto does not start: is the package installed?");
    }
}

void Mosquitto::stop() {
    if (pid_ > 0) {
        signal(SIGCONT);
        signal(SIGKILL);
        (void)waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }
}

}  // namespace jw::test
