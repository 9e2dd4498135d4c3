// SPDX-License-Identifier: Apache-2.0
// Stream: reading and writing a descriptor without ever waiting for it.
#include "host/stream.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace jw {
namespace asio = boost::asio;

void Stream::open(int fd, Line& line, BusState& state, std::function<void(int reason)> lost) {
    line_ = &line;
    state_ = &state;
    lost_ = std::move(lost);
    outgoing_.clear();
    outgoing_at_ = 0;
    guard_.renew();
    descriptor_.assign(fd);
    boost::system::error_code ignored;
    descriptor_.non_blocking(true, ignored);
    state_->connected = true;
    state_->trouble.clear();
    ++state_->connects;
    line_->connected(Loop::now());
    loop_.ask_step();
    read_next();
}

Status Stream::send(Bytes bytes) {
    if (!descriptor_.is_open()) {
        return JW_FAIL(not_found);
    }
    if (outgoing_at_ < outgoing_.size()) {
        return JW_FAIL(busy);
    }
    boost::system::error_code error;
    const std::size_t sent =
        descriptor_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
    if (error && error != asio::error::would_block) {
        // The line is in the middle of its step: it hears of the loss afterwards.
        asio::post(loop_.io(), guard_([this, reason = error.value()] { fail(reason); }));
        return JW_FAIL(not_found);
    }
    state_->bytes_out += bytes.size();
    if (sent < bytes.size()) {
        const Bytes rest = bytes.subspan(sent);
        outgoing_.assign(rest.begin(), rest.end());
        outgoing_at_ = 0;
        write_rest();
    }
    return done;
}

void Stream::close() {
    if (!descriptor_.is_open()) {
        return;
    }
    guard_.renew();
    boost::system::error_code ignored;
    descriptor_.close(ignored);
    state_->connected = false;
    line_->disconnected(Loop::now());
    loop_.ask_step();
}

void Stream::read_next() {
    descriptor_.async_read_some(
        asio::buffer(incoming_),
        guard_([this](const boost::system::error_code& error, std::size_t size) {
            if (error) {
                fail(error == asio::error::eof ? 0 : error.value());
                return;
            }
            state_->bytes_in += size;
            line_->received(Bytes(incoming_).first(size), Loop::now());
            loop_.ask_step();
            if (descriptor_.is_open()) {
                read_next();
            }
        }));
}

void Stream::write_rest() {
    descriptor_.async_write_some(
        asio::buffer(outgoing_.data() + outgoing_at_, outgoing_.size() - outgoing_at_),
        guard_([this](const boost::system::error_code& error, std::size_t size) {
            if (error) {
                fail(error.value());
                return;
            }
            outgoing_at_ += size;
            if (outgoing_at_ < outgoing_.size()) {
                write_rest();
            } else {
                loop_.ask_step();
            }
        }));
}

void Stream::fail(int reason) {
    close();
    lost_(reason);
}

}  // namespace jw
