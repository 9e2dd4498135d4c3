// SPDX-License-Identifier: Apache-2.0
// A program that links what the gateway links and does nothing but send one byte to a port of this
// machine: the least that a start and an idle process take.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <string_view>

int main(int argc, char** argv) {
    const std::string_view wanted = argc > 1 ? argv[1] : "";
    std::uint16_t port = 0;
    if (std::from_chars(wanted.data(), wanted.data() + wanted.size(), port).ec != std::errc{}) {
        return 1;
    }
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0 ||
        write(fd, "", 1) != 1) {
        return 1;
    }
    pause();  // until it is ended
    return 0;
}
