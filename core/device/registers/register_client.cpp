// SPDX-License-Identifier: Apache-2.0
// When a Modbus device is asked, asked again, left alone and set.
#include "core/device/registers/register_client.h"

#include "core/base/check.h"
#include "core/codec/modbus.h"

namespace jw::registers {
namespace {

using modbus::Exception;

constexpr std::uint8_t silent_tries_max = 2;  // of one question; a line may lose a byte
constexpr std::uint8_t busy_tries_max = 5;
constexpr Duration busy_wait = milliseconds(100);  // doubles: 100, 200, 400, 800 ms
// A write that waits longer is not sent any more: before Commands reports that nobody answered.
constexpr Duration act_wait_max = seconds(25);
constexpr Duration sleep_wait_least = seconds(1);
// With the time that a poll takes, a device that answers again is back within 60 s.
constexpr Duration sleep_wait_most = seconds(30);

std::size_t reply_bytes(const Question& question) {
    return of_bits(question.table) ? (question.count + 7U) / 8U : question.count * 2U;
}

void put_question(Writer& pdu, const Question& question) {
    // The map was validated, so a question is never beyond the limits.
    CHECK(modbus::encode_read(
              pdu, static_cast<modbus::Function>(question.table), question.start, question.count)
              .has_value());
}

/// The bytes that were asked for, or an error: denied (an exception), malformed.
Result<Bytes> take_answer(Bytes pdu, const Question& question) {
    if (modbus::is_exception(pdu)) {
        return JW_FAIL(denied);
    }
    const Result<modbus::Reply> reply = modbus::decode_reply(pdu);
    if (!reply || reply->function != static_cast<modbus::Function>(question.table) ||
        reply->data.size() != reply_bytes(question)) {
        return JW_FAIL(malformed);
    }
    return reply->data;
}

bool busy(Exception exception) {
    return exception == Exception::acknowledged || exception == Exception::device_busy ||
           exception == Exception::gateway_target;
}

bool behind_gateway(Exception exception) {
    return exception == Exception::gateway_path || exception == Exception::gateway_target;
}

bool silent(Code code) {
    return code == Code::timeout || code == Code::not_found;
}

}  // namespace

RegisterClient::RegisterClient(const DeviceSettings& settings, DeviceOut& out)
    : out_(out), name_(settings.name), unit_(settings.unit), poll_(settings.poll) {}

Status RegisterClient::poll_now(Instant now) {
    poll_at_ = now;
    return done;
}

Instant RegisterClient::due() const {
    if (asked_ != Asked::nothing) {
        return never;
    }
    const Instant poll = polling_ ? question_at_ : poll_at_;
    return act_ == Act::none ? poll : earlier(poll, act_at_);
}

std::uint8_t RegisterClient::ask(Writer& pdu, Instant now) {
    CHECK(asked_ == Asked::nothing);
    if (act_ == Act::writing && writes_ == 0 && act_until_ <= now) {
        end_act(ResultCode::device_silent, std::nullopt, now);
    }
    if (act_ != Act::none && act_at_ <= now) {
        if (act_ == Act::writing && write(writes_, pdu)) {
            asked_ = Asked::write;
            return unit_;
        }
        act_ = Act::reading;
        put_question(pdu, read_back());
        asked_ = Asked::read_back;
        return unit_;
    }
    if (!polling_) {
        polling_ = true;
        tries_ = 0;
        // On a grid, so that the polls do not drift; whoever is late starts a new one.
        poll_at_ = poll_at_ + poll_;
        if (poll_at_ <= now) {
            poll_at_ = now + poll_;
        }
        begin();
        CHECK(question(question_));
    }
    put_question(pdu, question_);
    asked_ = Asked::poll;
    return unit_;
}

void RegisterClient::answered(Bytes pdu, Instant now) {
    const Asked asked = asked_;
    asked_ = Asked::nothing;
    switch (asked) {
        case Asked::nothing:
            break;
        case Asked::poll:
            poll_answered(pdu, now);
            break;
        case Asked::write:
            write_answered(pdu, now);
            break;
        case Asked::read_back:
            read_back_answered(pdu, now);
            break;
    }
}

void RegisterClient::failed(Error error, Instant now) {
    const Asked asked = asked_;
    asked_ = Asked::nothing;
    switch (asked) {
        case Asked::nothing:
            // The line is not connected and asks nobody: what is due fails all the same.
            if (act_ != Act::none && act_at_ <= now) {
                read_back_failed(now);
            } else {
                poll_failed(error, now);
            }
            break;
        case Asked::poll:
            if (!asleep_ && error.code != Code::not_found && ++tries_ < silent_tries_max) {
                question_at_ = now;
            } else {
                poll_failed(error, now);
            }
            break;
        case Asked::write:
            // It may or may not have acted: reading back tells.
            act_ = Act::reading;
            act_tries_ = 0;
            act_at_ = now;
            break;
        case Asked::read_back:
            read_back_failed(now);
            break;
    }
}

void RegisterClient::connected(Instant now) {
    if (asleep_) {
        poll_at_ = earlier(poll_at_, now);
    }
}

void RegisterClient::poll_answered(Bytes pdu, Instant now) {
    const Exception exception = modbus::exception_code(pdu);
    const Result<Bytes> bytes = take_answer(pdu, question_);
    if (bytes) {
        tries_ = 0;
        answer(question_, *bytes, now);
        next_question(now);
    } else if (bytes.code() == Code::malformed) {
        if (++tries_ < silent_tries_max) {
            question_at_ = now;
        } else {
            poll_failed(bytes.error(), now);
        }
    } else if (exception == Exception::illegal_function ||
               exception == Exception::illegal_address || exception == Exception::illegal_value) {
        tries_ = 0;
        refuse(question_);
        next_question(now);
    } else if (busy(exception) && !asleep_ && ++tries_ < busy_tries_max) {
        question_at_ = now + busy_wait * (1 << (tries_ - 1));
    } else if (behind_gateway(exception)) {
        poll_failed(JW_FAIL(timeout), now);
    } else {
        poll_failed(busy(exception) ? JW_FAIL(busy) : JW_FAIL(denied), now);
    }
}

void RegisterClient::next_question(Instant now) {
    if (question(question_)) {
        question_at_ = now;
        return;
    }
    if (const Status finished = finish(now); !finished) {
        poll_failed(finished.error(), now);
        return;
    }
    polling_ = false;
    asleep_ = false;
    wait_ = {};
}

void RegisterClient::poll_failed(Error error, Instant now) {
    polling_ = false;
    wait_ = wait_ < sleep_wait_least ? sleep_wait_least : wait_ * 2;
    wait_ = wait_ < sleep_wait_most ? wait_ : sleep_wait_most;
    poll_at_ = now + wait_;
    if (silent(error.code)) {
        asleep_ = true;
        forget();
    }
    out_.failed(error, now);
}

Status RegisterClient::start_act(Instant now, bool told) {
    if (act_ != Act::none) {
        return JW_FAIL(busy);
    }
    act_ = Act::writing;
    act_told_ = told;
    writes_ = 0;
    act_tries_ = 0;
    act_at_ = now;
    act_until_ = now + act_wait_max;
    return done;
}

void RegisterClient::write_answered(Bytes pdu, Instant now) {
    const Exception exception = modbus::exception_code(pdu);
    if (exception == Exception::none) {
        ++writes_;
        act_tries_ = 0;
        act_at_ = now;
    } else if (exception == Exception::acknowledged) {
        // Taken, but not done yet.
        ++writes_;
        act_tries_ = 0;
        act_at_ = now + busy_wait;
    } else if (busy(exception) && ++act_tries_ < busy_tries_max) {
        act_at_ = now + busy_wait * (1 << (act_tries_ - 1));
    } else {
        end_act(behind_gateway(exception) ? ResultCode::device_silent : ResultCode::device_refused,
                std::nullopt,
                now);
    }
}

void RegisterClient::read_back_answered(Bytes pdu, Instant now) {
    const Result<Bytes> bytes = take_answer(pdu, read_back());
    if (bytes) {
        bool same = false;
        const std::optional<std::int64_t> value = value_read(*bytes, same, now);
        end_act(same ? ResultCode::executed : ResultCode::not_confirmed, value, now);
    } else if (busy(modbus::exception_code(pdu)) && ++act_tries_ < busy_tries_max) {
        act_at_ = now + busy_wait * (1 << (act_tries_ - 1));
    } else {
        end_act(ResultCode::not_confirmed, std::nullopt, now);
    }
}

void RegisterClient::read_back_failed(Instant now) {
    if (++act_tries_ < silent_tries_max) {
        act_at_ = now;
    } else {
        end_act(ResultCode::device_silent, std::nullopt, now);
    }
}

void RegisterClient::end_act(ResultCode code, std::optional<std::int64_t> value, Instant now) {
    act_ = Act::none;
    if (!polling_ && !asleep_) {
        poll_at_ = now;  // what it changed is to be seen at once
    }
    if (act_told_) {
        out_.acted(code, value, now);
    }
}

}  // namespace jw::registers
