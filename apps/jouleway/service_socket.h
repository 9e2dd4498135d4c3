// SPDX-License-Identifier: Apache-2.0
#pragma once
// ServiceSocket: what the daemon tells its service manager (sd_notify(3)), without ever waiting for
// it: a manager that does not listen must not hold up the loop.
#include <string_view>

namespace jw {

class ServiceSocket {
  public:
    /// Takes the address from NOTIFY_SOCKET; without one everything is told to nobody.
    ServiceSocket();
    ServiceSocket(const ServiceSocket&) = delete;
    ServiceSocket& operator=(const ServiceSocket&) = delete;
    ~ServiceSocket();

    /// Lines as "READY=1" or "WATCHDOG=1\nSTATUS=…". False where the manager has no room for it
    /// now.
    bool tell(std::string_view lines);

  private:
    int socket_ = -1;
};

}  // namespace jw
