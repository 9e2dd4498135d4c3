// SPDX-License-Identifier: Apache-2.0
// Frames out to a CAN bus and in from it: what waits, what is too old, and the adapter's opening.
#include "core/bus/can_line.h"

#include <algorithm>
#include <array>

#include "core/base/check.h"
#include "core/bus/linux_can.h"

namespace jw {
namespace {

// A bus that is busy is asked again so much later, then twice as late each time.
constexpr Duration retry_first = milliseconds(1);
constexpr Duration retry_most = milliseconds(16);

constexpr Duration settle_wait = milliseconds(50);   // for the answers to what stood in its buffer
constexpr Duration answer_wait = milliseconds(100);  // for one answer
constexpr Duration reopen_wait = seconds(1);
constexpr Duration status_every = seconds(1);
constexpr Duration silence_max = seconds(3);

}  // namespace

CanLine::CanLine(Bus& bus,
                 const CanLineSettings& settings,
                 CanClient& client,
                 std::span<WaitingCanFrame> waiting)
    : bus_(bus), settings_(settings), client_(client), waiting_(waiting) {
    CHECK(waiting_.capacity() > 0 && settings_.wait_max.us > 0);
    CHECK(!slcan() || slcan::is_bitrate(settings_.bitrate));
}

void CanLine::connected(Instant now) {
    if (connected_) {
        disconnected(now);
    }
    connected_ = true;
    // What waited for the bus says how things were; its sender says how they are.
    counters_.dropped += static_cast<std::uint32_t>(waiting_.size());
    waiting_.clear();
    heard_at_ = now;
    retry_at_ = now;
    retry_wait_ = retry_first;
    if (slcan()) {
        receiver_.clear();
        enter(Stage::closed, Duration{}, now);
    } else {
        tell(CanBusState::active, now);
    }
}

void CanLine::disconnected(Instant now) {
    connected_ = false;
    tell(std::nullopt, now);
}

Instant CanLine::step(Instant now) {
    if (connected_ && slcan()) {
        drive_adapter(now);
    }
    send_waiting(now);
    return next_call();
}

Instant CanLine::next_call() const {
    Instant next = waiting_.empty() ? never : waiting_[0].since + settings_.wait_max;
    for (const WaitingCanFrame& frame : waiting_) {
        next = earlier(next, frame.since + settings_.wait_max);
    }
    if (!connected_) {
        return next;
    }
    const bool open = !slcan() || stage_ == Stage::open;
    if (open && !waiting_.empty()) {
        next = earlier(next, retry_at_);
    }
    if (slcan()) {
        next = earlier(next, stage_due_);
        next = open ? earlier(next, earlier(status_due_, heard_at_ + silence_max)) : next;
    }
    return next;
}

// --- out ------------------------------------------------------------------------------------

void CanLine::send(const CanFrame& frame, Instant now) {
    CHECK(frame.size <= frame.data.size());
    CHECK(frame.id <= (frame.extended ? can_extended_id_max : can_id_max));
    auto* const same = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& waiting) {
        return waiting.frame.id == frame.id && waiting.frame.extended == frame.extended;
    });
    if (same != waiting_.end()) {
        *same = {frame, now};
        ++counters_.dropped;
    } else {
        if (waiting_.full()) {
            waiting_.remove(0);
            ++counters_.dropped;
        }
        const bool kept = waiting_.push({frame, now});
        CHECK(kept);
    }
    send_waiting(now);
}

Status CanLine::put_out(const CanFrame& frame) {
    std::array<std::uint8_t, slcan::line_max> bytes;
    static_assert(slcan::line_max >= linux_can::frame_size);
    Writer out(bytes);
    if (slcan()) {
        slcan::put_frame(frame, out);
    } else {
        linux_can::put_frame(frame, out);
    }
    CHECK(out.ok());
    return bus_.send(out.written());
}

void CanLine::send_waiting(Instant now) {
    drop_old(now);
    if (!connected_ || now < retry_at_ || (slcan() && stage_ != Stage::open)) {
        return;
    }
    while (!waiting_.empty()) {
        const Status sent = put_out(waiting_[0].frame);
        if (sent.code() == Code::busy) {
            retry_at_ = now + retry_wait_;
            retry_wait_ = std::min(retry_wait_ * 2, retry_most);
            return;
        }
        if (!sent) {
            connected_ = false;  // disconnected() comes, and tells
            return;
        }
        retry_wait_ = retry_first;
        ++counters_.sent;
        client_.sent(waiting_[0].frame, now);
        waiting_.remove(0);
    }
}

void CanLine::drop_old(Instant now) {
    for (std::size_t i = 0; i < waiting_.size();) {
        if (now - waiting_[i].since < settings_.wait_max) {
            ++i;
            continue;
        }
        waiting_.remove(i);
        ++counters_.dropped;
    }
}

// --- in -------------------------------------------------------------------------------------

void CanLine::received(Bytes bytes, Instant now) {
    if (!connected_) {
        return;
    }
    if (slcan()) {
        heard_at_ = now;
        while (const auto message = receiver_.take(bytes)) {
            if (*message) {
                take_message(**message, now);
            } else {
                ++counters_.malformed;
            }
        }
        return;
    }
    while (!bytes.empty()) {
        const auto message =
            linux_can::read_frame(bytes.first(std::min(bytes.size(), linux_can::frame_size)));
        bytes = bytes.subspan(std::min(bytes.size(), linux_can::frame_size));
        if (!message) {
            ++counters_.malformed;
        } else if (!message->trouble) {
            take_frame(message->frame, now);
        } else {
            counters_.errors +=
                message->trouble->transmit_timeout || message->trouble->overflow ? 1U : 0U;
            counters_.restarts += message->trouble->restarted ? 1U : 0U;
            if (message->trouble->state) {
                take_state(*message->trouble->state, now);
            }
        }
    }
}

bool CanLine::is_own(const CanFrame& frame) const {
    return !frame.extended &&
           std::find(settings_.own_ids.begin(), settings_.own_ids.end(), frame.id) !=
               settings_.own_ids.end();
}

void CanLine::take_frame(const CanFrame& frame, Instant now) {
    ++counters_.received;
    if (!state_ || *state_ == CanBusState::off) {
        take_state(CanBusState::active, now);  // only a bus that is on brings frames
    }
    if (is_own(frame)) {
        ++counters_.rivals;
        client_.rivalled(frame, now);
    } else {
        client_.received(frame, now);
    }
}

void CanLine::take_state(CanBusState state, Instant now) {
    if (state == CanBusState::off && state_ != CanBusState::off) {
        ++counters_.bus_offs;
    }
    tell(state, now);
}

void CanLine::tell(std::optional<CanBusState> state, Instant now) {
    if (state != state_) {
        state_ = state;
        client_.bus_changed(state, now);
    }
}

// --- the adapter ----------------------------------------------------------------------------

void CanLine::take_message(const slcan::Message& message, Instant now) {
    switch (message.kind) {
        case slcan::Kind::accepted:
            accepted(now);
            break;
        case slcan::Kind::refused:
            refused(now);
            break;
        case slcan::Kind::frame:
            take_frame(message.frame, now);
            break;
        case slcan::Kind::status:
            status_asked_ = false;
            counters_.errors += (message.flags & slcan::flags_lost) != 0 ? 1U : 0U;
            if (state_ != CanBusState::off) {  // the flags do not know it
                take_state(message.state, now);
            }
            break;
        case slcan::Kind::state:
            take_state(message.state, now);
            if (message.state == CanBusState::off) {
                reopen_soon(now);
            }
            break;
        case slcan::Kind::text:
            break;
    }
}

void CanLine::accepted(Instant now) {
    if (stage_ == Stage::setting) {
        stage_due_ = now;
    } else if (stage_ == Stage::opening) {
        counters_.restarts += state_ == CanBusState::off ? 1U : 0U;
        opened(now);
        take_state(CanBusState::active, now);
    } else if (stage_ == Stage::open && !state_) {
        take_state(CanBusState::active, now);
    }
}

/// A refusal is of the command that is still open, if any, and else of a frame.
void CanLine::refused(Instant now) {
    if (stage_ == Stage::setting || stage_ == Stage::opening) {
        ++counters_.errors;
        tell(std::nullopt, now);
        enter(Stage::closed, reopen_wait, now);
    } else if (stage_ == Stage::open && status_asked_) {
        status_asked_ = false;
        status_due_ = never;  // it does not know the command
    } else if (stage_ == Stage::open) {
        ++counters_.errors;
        reopen_soon(now);
    }
}

void CanLine::reopen_soon(Instant now) {
    if (stage_ == Stage::open) {
        stage_due_ = earlier(stage_due_, later(now, opened_at_ + reopen_wait));
    }
}

void CanLine::enter(Stage stage, Duration wait, Instant now) {
    stage_ = stage;
    stage_due_ = now + wait;
}

/// Tells the adapter something; where the bus is busy, once more a little later.
void CanLine::command(std::string_view text, Stage next, Duration wait, Instant now) {
    if (bus_.send(as_bytes(text))) {
        enter(next, wait, now);
    } else {
        stage_due_ = now + retry_most;
    }
}

void CanLine::drive_adapter(Instant now) {
    if (stage_ == Stage::open) {
        watch_adapter(now);
    }
    if (now < stage_due_) {
        return;
    }
    switch (stage_) {
        case Stage::open:
            break;
        case Stage::closed:
            // Behind two ends whatever stood in the adapter's buffer is over.
            command("\r\rC\r", Stage::closing, settle_wait, now);
            break;
        case Stage::closing: {
            std::array<std::uint8_t, slcan::line_max> bytes;
            Writer out(bytes);
            const Status known = slcan::put_bitrate(settings_.bitrate, out);
            CHECK(known && out.ok());
            command(as_text(out.written()), Stage::setting, answer_wait, now);
            break;
        }
        case Stage::setting:
            command(slcan::open_command, Stage::opening, answer_wait, now);
            break;
        case Stage::opening:
            opened(now);  // without a word
            break;
    }
}

void CanLine::opened(Instant now) {
    ++counters_.openings;
    stage_ = Stage::open;
    stage_due_ = never;
    opened_at_ = now;
    heard_at_ = now;
    status_asked_ = false;
    status_due_ = now + status_every;
}

void CanLine::watch_adapter(Instant now) {
    const bool silent = now - heard_at_ >= silence_max;
    if (silent) {
        tell(std::nullopt, now);
    }
    if (silent || now >= stage_due_) {
        enter(Stage::closed, Duration{}, now);
    } else if (now >= status_due_) {
        status_asked_ = static_cast<bool>(bus_.send(as_bytes(slcan::status_command)));
        status_due_ = now + (status_asked_ ? status_every : retry_most);
    }
}

}  // namespace jw
