// SPDX-License-Identifier: Apache-2.0
// The client side of one Modbus connection: turns, pacing, matching, timeouts.
#include "core/bus/modbus_line.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/bus/modbus_frame.h"

namespace jw {
namespace {

using modbus::Side;

constexpr std::uint8_t exception_flag = 0x80;
constexpr Duration busy_retry = milliseconds(1);  // a bus that is busy is asked again so much later

bool is_function(std::uint8_t byte, std::uint8_t function) {
    return (byte & ~exception_flag) == function;
}

/// Units 0 and 255 mean "whoever is there" on TCP, and such a device answers with the id that it
/// likes (Messaging on TCP/IP V1.0b, 4.4.2.1).
bool is_unit(std::uint8_t answering, std::uint8_t asked) {
    return answering == asked || asked == 0 || asked == 0xFF;
}

struct Search {
    std::size_t at = 0;     // of a whole, correct answer; 0: there is none
    bool may_come = false;  // the last bytes look like the beginning of one
};

/// Looks for the answer behind bytes that are not it.
Search find_answer(Bytes stream, const ModbusOpenRequest& request) {
    Search search;
    for (std::size_t at = 1; at < stream.size(); ++at) {
        const bool last = at + 1 == stream.size();
        if (stream[at] != request.unit ||
            !(last || is_function(stream[at + 1], request.function))) {
            continue;
        }
        const auto frame = modbus::take_rtu(stream.subspan(at), Side::reply);
        if (frame) {
            search.at = at;
            return search;
        }
        search.may_come = search.may_come || frame.code() == Code::truncated;
    }
    return search;
}

}  // namespace

ModbusLine::ModbusLine(Bus& bus,
                       const ModbusLineSettings& settings,
                       std::span<ModbusClient* const> clients,
                       const ModbusLineMemory& memory)
    : bus_(bus),
      settings_(settings),
      clients_(clients),
      open_(memory.open.first(
          std::min<std::size_t>(memory.open.size(),
                                settings.framing == ModbusFraming::tcp
                                    ? std::max<std::size_t>(1, settings.open_requests_max)
                                    : 1))),
      in_(memory.in),
      out_(memory.out),
      answer_times_(memory.answer_times) {
    CHECK(open_.capacity() > 0 && settings.timeout.us > 0 && clients.size() < 0xFFFF);
    CHECK(out_.size() > modbus::tcp_header_size && !in_.empty() && in_.size() <= 0xFFFF);
    if (serial()) {
        settings_.gap = std::max(settings_.gap, modbus::rtu_silence(settings.baud));
    }
}

void ModbusLine::connected(Instant now) {
    if (connected_) {
        disconnected(now);
    }
    connected_ = true;
    ready_at_ = now + settings_.connect_delay;
    heard_at_ = now;
    for (ModbusClient* client : clients_) {
        client->connected(now);
    }
}

void ModbusLine::disconnected(Instant now) {
    connected_ = false;
    in_size_ = 0;
    hold_until_ = now;
    tell_at_ = now + settings_.timeout;
    while (!open_.empty()) {
        fail(0, JW_FAIL(not_found), now);
    }
}

Instant ModbusLine::step(Instant now) {
    end_overdue(now);
    if (out_size_ > 0) {
        send_out(now);
    }
    while (may_ask(now) && ask_next(now)) {
    }
    if (!connected_) {
        tell_unreachable(now);
    }
    return next_call(now);
}

// --- when -----------------------------------------------------------------------------------

Instant ModbusLine::asks_at(std::size_t client) const {
    for (const auto& request : open_) {
        if (request.client == client) {
            return never;
        }
    }
    const Instant due = clients_[client]->due();
    return client == hold_client_ ? later(due, hold_until_) : due;
}

Instant ModbusLine::next_due() const {
    Instant first = never;
    for (std::size_t i = 0; i < clients_.size(); ++i) {
        first = earlier(first, asks_at(i));
    }
    return first;
}

Instant ModbusLine::may_send_at() const {
    const Instant silent_at =
        earlier(heard_at_ + settings_.gap, ready_at_ + settings_.gap + settings_.timeout);
    return later(ready_at_, silent_at);
}

bool ModbusLine::may_ask(Instant now) const {
    return connected_ && !open_.full() && out_size_ == 0 && may_send_at() <= now;
}

Instant ModbusLine::next_call(Instant now) const {
    if (!connected_) {
        return later(tell_at_, next_due());
    }
    Instant next = never;
    for (const auto& request : open_) {
        next = earlier(next, request.deadline);
    }
    if (out_size_ > 0) {
        return earlier(next, now + busy_retry);
    }
    return open_.full() ? next : earlier(next, later(next_due(), may_send_at()));
}

// --- out ------------------------------------------------------------------------------------

/// Asks the next client in turn that is due, if any. The turn keeps a client that is always due
/// from silencing the others.
bool ModbusLine::ask_next(Instant now) {
    for (std::size_t i = 0; i < clients_.size(); ++i) {
        const std::size_t client = (turn_ + i) % clients_.size();
        if (asks_at(client) <= now) {
            turn_ = static_cast<std::uint16_t>(client + 1);
            ask(client, now);
            return true;
        }
    }
    return false;
}

void ModbusLine::ask(std::size_t client, Instant now) {
    const std::size_t header = serial() ? modbus::rtu_header_size : modbus::tcp_header_size;
    const std::size_t trailer = serial() ? modbus::crc_size : 0;
    const std::size_t room = std::min(out_.size() - header - trailer, limits::modbus_pdu_size_max);
    ModbusOpenRequest request;
    Writer pdu(out_.subspan(header, room));
    request.unit = clients_[client]->ask(pdu, now);
    CHECK(pdu.ok() && pdu.size() > 0);
    request.client = static_cast<std::uint16_t>(client);
    request.transaction = ++transaction_;
    request.function = pdu.written()[0];
    request.reply_size = static_cast<std::uint16_t>(modbus::reply_size(pdu.written()));
    request.deadline = now + settings_.timeout;
    Writer frame(out_);
    // The PDU stands where the frame puts it: it is copied onto itself.
    if (serial()) {
        modbus::put_rtu(frame, request.unit, pdu.written());
    } else {
        modbus::put_tcp(frame, request.transaction, request.unit, pdu.written());
    }
    const bool kept = open_.push(request);
    CHECK(frame.ok() && kept);
    CHECK(open_.size() <= std::max<std::size_t>(settings_.open_requests_max, 1));  // I-09
    out_size_ = static_cast<std::uint16_t>(frame.size());
    send_out(now);
}

void ModbusLine::send_out(Instant now) {
    const Status sent = bus_.send(out_.first(out_size_));
    if (sent.code() == Code::busy) {
        return;
    }
    if (!sent) {
        disconnected(now);
        return;
    }
    ++counters_.requests;
    Instant last_byte_at = now;
    if (settings_.framing == ModbusFraming::rtu) {
        last_byte_at = now + modbus::rtu_transfer_time(out_size_, settings_.baud);
    }
    open_[open_.size() - 1].deadline = last_byte_at + settings_.timeout;
    out_size_ = 0;
}

// --- ends -----------------------------------------------------------------------------------

/// Removes an open request and gives its client, who is to be told once.
ModbusClient& ModbusLine::close(std::size_t open, Instant now) {
    ModbusClient& client = *clients_[open_[open].client];
    if (open + 1 == open_.size()) {
        out_size_ = 0;
    }
    open_.remove(open);
    ready_at_ = later(ready_at_, now);
    return client;
}

void ModbusLine::fail(std::size_t open, Error error, Instant now) {
    close(open, now).failed(error, now);
}

/// An answer to this client may still come and could not be told from the next one.
void ModbusLine::hold(std::size_t client, Instant now) {
    if (serial()) {
        hold_client_ = static_cast<std::uint16_t>(client);
        hold_until_ = now + settings_.timeout;
    }
}

void ModbusLine::end_overdue(Instant now) {
    for (std::size_t i = 0; i < open_.size();) {
        if (now < open_[i].deadline) {
            ++i;
            continue;
        }
        ++counters_.timeouts;
        // Half a frame of this answer must not swallow the beginning of the next one.
        const auto transaction = Reader(in_.first(in_size_)).u16_be();
        if (serial() || open_.size() == 1 || transaction == open_[i].transaction) {
            in_size_ = 0;
        }
        hold(open_[i].client, now);
        fail(i, JW_FAIL(timeout), now);
    }
}

void ModbusLine::tell_unreachable(Instant now) {
    if (tell_at_ == never) {
        tell_at_ = now + settings_.timeout;  // never connected so far
    }
    if (now < tell_at_) {
        return;
    }
    for (ModbusClient* client : clients_) {
        if (client->due() <= now) {
            tell_at_ = now + settings_.timeout;
            client->failed(JW_FAIL(not_found), now);
        }
    }
}

// --- in -------------------------------------------------------------------------------------

void ModbusLine::received(Bytes bytes, Instant now) {
    if (!connected_) {
        return;
    }
    heard_at_ = now;
    while (!bytes.empty()) {
        if (in_size_ == 0) {
            // The usual case: whole answers, looked at where they are.
            bytes = bytes.subspan(take_frames(bytes, now));
        }
        const std::size_t count = std::min(bytes.size(), in_.size() - in_size_);
        std::copy_n(bytes.data(), count, in_.data() + in_size_);
        bytes = bytes.subspan(count);
        in_size_ = static_cast<std::uint16_t>(in_size_ + count);
        const std::size_t taken = take_frames(in_.first(in_size_), now);
        std::copy(in_.data() + taken, in_.data() + in_size_, in_.data());
        in_size_ = static_cast<std::uint16_t>(in_size_ - taken);
        if (in_size_ == in_.size()) {
            in_size_ = 0;
            fail_all_malformed(now);
        }
    }
}

/// Takes what is complete at the front of the stream; gives how many bytes are done with.
std::size_t ModbusLine::take_frames(Bytes stream, Instant now) {
    return serial() ? take_rtu_frames(stream, now) : take_tcp_frames(stream, now);
}

std::size_t ModbusLine::take_tcp_frames(Bytes stream, Instant now) {
    std::size_t at = 0;
    while (at < stream.size()) {
        const auto frame = modbus::take_tcp(stream.subspan(at));
        if (frame.code() == Code::truncated) {
            return at;
        }
        if (!frame) {
            // Out of step. Answers come in one piece as a rule: the next one begins anew.
            fail_all_malformed(now);
            return stream.size();
        }
        at += frame->size;
        std::size_t open = 0;
        while (open < open_.size() && open_[open].transaction != frame->transaction) {
            ++open;
        }
        if (open == open_.size() || !is_unit(frame->unit, open_[open].unit)) {
            ++counters_.strangers;
            continue;
        }
        accept(open, frame->pdu, now);
    }
    return at;
}

std::size_t ModbusLine::take_rtu_frames(Bytes stream, Instant now) {
    std::size_t at = 0;
    while (at < stream.size()) {
        if (open_.empty() || out_size_ > 0) {
            ++counters_.strangers;
            return stream.size();
        }
        const Bytes rest = stream.subspan(at);
        const auto frame = modbus::take_rtu(rest, Side::reply);
        if (frame) {
            at += frame->size;
            if (frame->unit == open_[0].unit && is_function(frame->pdu[0], open_[0].function)) {
                accept(0, frame->pdu, now);
            } else {
                ++counters_.strangers;
            }
            continue;
        }
        const Search search = find_answer(rest, open_[0]);
        if (search.at > 0) {
            ++counters_.strangers;
            at += search.at;
            continue;
        }
        if (frame.code() == Code::truncated || search.may_come) {
            return at;
        }
        if (frame.code() == Code::bad_checksum) {
            ++counters_.bad_checksums;
            fail(0, JW_FAIL(bad_checksum), now);
        } else {
            fail_all_malformed(now);
        }
        return stream.size();
    }
    return at;
}

/// What came in cannot be an answer: tells whoever waits for one.
void ModbusLine::fail_all_malformed(Instant now) {
    ++counters_.malformed;
    while (!open_.empty()) {
        hold(open_[0].client, now);
        fail(0, JW_FAIL(malformed), now);
    }
}

/// The answer to an open request, if its function and size are those of the question.
void ModbusLine::accept(std::size_t open, Bytes pdu, Instant now) {
    const ModbusOpenRequest& request = open_[open];
    const bool exception = pdu[0] == (request.function | exception_flag);
    const std::size_t size = exception ? 2 : request.reply_size;
    const bool fits =
        (exception || pdu[0] == request.function) && (size == 0 || pdu.size() == size);
    if (!fits) {
        ++counters_.malformed;
        hold(request.client, now);
        fail(open, JW_FAIL(malformed), now);
        return;
    }
    ++counters_.answers;
    if (answer_times_ != nullptr) {
        answer_times_->add(now - (request.deadline - settings_.timeout));
    }
    close(open, now).answered(pdu, now);
}

}  // namespace jw
