// SPDX-License-Identifier: Apache-2.0
#pragma once
// Stream: an open file descriptor (socket or terminal) whose bytes go to a line.
#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/bus/line.h"
#include "host/guard.h"
#include "host/loop.h"

namespace jw {

/// What the page and the metrics say about a bus.
struct BusState {
    bool connected = false;
    std::string trouble;  // empty, or what is wrong, where, and what to do
    std::uint64_t connects = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
};

/// Tells the line connected(), received() and disconnected() and asks for a step after each.
class Stream {
  public:
    explicit Stream(Loop& loop) : loop_(loop), descriptor_(loop.io()) {}

    /// Takes over `fd`. `lost` is called once when the stream ended by itself, with the reason, 0
    /// for an orderly end (errno otherwise); after close() it is not called.
    void open(int fd, Line& line, BusState& state, std::function<void(int reason)> lost);
    /// As Bus::send.
    Status send(Bytes bytes);
    /// Closes the descriptor and tells the line. Does nothing where there is none.
    void close();
    [[nodiscard]] bool is_open() const { return descriptor_.is_open(); }

  private:
    void read_next();
    void write_rest();
    void fail(int reason);

    Loop& loop_;
    boost::asio::posix::stream_descriptor descriptor_;
    Line* line_ = nullptr;
    BusState* state_ = nullptr;
    std::function<void(int reason)> lost_;
    std::array<std::uint8_t, 4096> incoming_{};
    std::vector<std::uint8_t> outgoing_;  // what the descriptor did not take at once
    std::size_t outgoing_at_ = 0;
    Guard guard_;
};

}  // namespace jw
