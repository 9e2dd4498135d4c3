// SPDX-License-Identifier: Apache-2.0
#pragma once
// WebSocket: the server's side of one connection that only listens (RFC 6455).
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/time.h"
#include "host/http/byte_stream.h"
#include "host/http/message.h"

namespace jw::http {

/// Sends text; what the client says is read and dropped, at most 4 KiB a message. A client that
/// does not take what it is sent, or does not answer a ping for a minute, is cut off.
class WebSocket {
  public:
    static constexpr std::size_t waiting_max = std::size_t{512} << 10;  // bytes not yet taken

    virtual ~WebSocket() = default;
    /// Queues a message; closes the connection where the client has not taken the earlier ones.
    virtual void send(std::string_view text) = 0;
    virtual void close() = 0;

    /// Takes over `stream` and answers the upgrade. `opened` and then, once, `closed` are called on
    /// the loop; `closed` alone where the handshake fails. `early` is what came behind the request.
    static std::shared_ptr<WebSocket> accept(std::unique_ptr<ByteStream> stream,
                                             const Request& request,
                                             std::string early,
                                             std::function<void()> opened,
                                             std::function<void()> closed);
};

}  // namespace jw::http
