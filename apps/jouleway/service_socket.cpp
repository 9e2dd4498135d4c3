// SPDX-License-Identifier: Apache-2.0
// The socket of the service manager, never waited for.
#include "apps/jouleway/service_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace jw {

ServiceSocket::ServiceSocket() {
    const char* path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path == nullptr || *path == 0 || std::strlen(path) >= sizeof(address.sun_path)) {
        return;
    }
    std::memcpy(address.sun_path, path, std::strlen(path));
    if (address.sun_path[0] == '@') {
        address.sun_path[0] = 0;  // an abstract address
    }
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
    socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket_ >= 0 && connect(socket_, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
        close(socket_);
        socket_ = -1;
    }
}

ServiceSocket::~ServiceSocket() {
    if (socket_ >= 0) {
        close(socket_);
    }
}

bool ServiceSocket::tell(std::string_view lines) {
    if (socket_ < 0) {
        return true;
    }
    return send(socket_, lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

}  // namespace jw
