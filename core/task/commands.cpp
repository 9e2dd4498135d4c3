// SPDX-License-Identifier: Apache-2.0
#include "core/task/commands.h"

#include <algorithm>

#include "core/base/cbor.h"
#include "core/base/check.h"

namespace jw {
namespace {

// A device that was asked and never tells how it ended is silent.
constexpr Duration act_timeout = seconds(30);
constexpr Duration retry = seconds(1);

std::string_view sentence(ResultCode code) {
    switch (code) {
        case ResultCode::executed:
            return "";
        case ResultCode::expired:
            return "The command came after its expiry.";
        case ResultCode::too_early:
            return "Its not_before is behind its expiry.";
        case ResultCode::repeated:
            return "The counter was used before; use the next one.";
        case ResultCode::unknown_target:
            return "There is no device of that name.";
        case ResultCode::unsupported:
            return "The device has nothing of that name to set.";
        case ResultCode::out_of_range:
            return "The value is outside what the device takes.";
        case ResultCode::denied:
            return "Not now, or not by this issuer, signature or expiry.";
        case ResultCode::malformed:
            return "The request could not be read.";
        case ResultCode::device_silent:
            return "The device did not answer; it may have acted.";
        case ResultCode::device_refused:
            return "The device refused it.";
        case ResultCode::interrupted:
            return "The gateway stopped before the device's answer.";
        case ResultCode::not_confirmed:
            return "Reading back gave another value.";
        case ResultCode::busy:
            return "Too many commands at once; try again.";
    }
    return "";
}

bool is_id(std::string_view id) {
    return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-';
    });
}

}  // namespace

Commands::Job* Commands::find(const CommandId& id) {
    for (Job& job : jobs_) {
        if (job.command.id == id) {
            return &job;
        }
    }
    return nullptr;
}

bool Commands::counter_used(const Job& job) const {
    return job.source == CommandSource::remote && job.command.counter != 0 &&
           job.command.counter <= journal_.last_counter(job.command.issuer);
}

bool Commands::behind_another(const Job& job) const {
    // Where a device is busy the issuer's later commands wait as well, so that counters rise.
    return job.source == CommandSource::remote && job.command.counter != 0 &&
           std::any_of(jobs_.begin(), jobs_.end(), [&](const Job& other) {
               return other.step == Step::waiting && other.source == CommandSource::remote &&
                      other.command.issuer == job.command.issuer && other.command.counter != 0 &&
                      other.command.counter < job.command.counter &&
                      other.command.not_before_ms <= job.command.not_before_ms;
           });
}

/// Whether another command is the device's next one. What is begun acts in the order it came.
bool Commands::device_busy(const Job& job) const {
    return std::any_of(jobs_.begin(), jobs_.end(), [&](const Job& other) {
        const bool queued =
            other.step == Step::beginning || (other.step == Step::waiting && other.begun);
        return &other != &job && other.command.target == job.command.target &&
               (other.step == Step::acting || (queued && (!job.begun || &other < &job)));
    });
}

JournalEntry Commands::entry(const Job& job, CommandPhase phase) const {
    JournalEntry entry;
    entry.id = job.command.id;
    entry.issuer = job.command.issuer;
    entry.target = job.command.target;
    entry.counter = job.command.counter;
    // A local command has no expiry; it is remembered for a day from when the clock is known.
    entry.forget_ms = job.command.expiry_ms;
    if (entry.forget_ms == 0 && unix_ms_) {
        entry.forget_ms = *unix_ms_ + day_ms;
    }
    entry.phase = phase;
    entry.code = job.result.code;
    entry.value = job.result.value;
    entry.asked = job.asked;
    return entry;
}

void Commands::know_time(std::optional<std::int64_t> unix_ms) {
    if (unix_ms && !unix_ms_) {
        journal_.date(*unix_ms + day_ms);
    }
    unix_ms_ = unix_ms;
}

void Commands::resume(Instant now) {
    for (const JournalEntry& known : journal_.entries()) {
        if (known.phase == CommandPhase::reported || jobs_.full()) {
            continue;
        }
        Job job;
        job.command.id = known.id;
        job.command.issuer = known.issuer;
        job.command.target = known.target;
        job.command.counter = known.counter;
        job.command.expiry_ms = known.forget_ms;
        job.asked = known.asked;
        job.source = CommandSource::remote;
        job.begun = true;
        job.result.id = known.id;
        job.result.target = known.target;
        CHECK(jobs_.push(job));
        const bool ended = known.phase == CommandPhase::ended;
        end(jobs_[jobs_.size() - 1],
            ended ? known.code : ResultCode::interrupted,
            ended ? known.value : std::nullopt,
            now);
    }
}

ResultCode Commands::judge(const Command& command,
                           CommandSource source,
                           std::optional<std::int64_t> unix_ms) const {
    if (!is_id(command.id.view())) {
        return ResultCode::malformed;
    }
    if (source == CommandSource::remote) {
        // Without a clock nobody can say that it has not expired long ago.
        if (!unix_ms || command.expiry_ms == 0 || command.expiry_ms > *unix_ms + day_ms) {
            return ResultCode::denied;
        }
        if (command.counter != 0 && command.counter <= journal_.last_counter(command.issuer)) {
            return ResultCode::repeated;  // I-25
        }
    }
    if (command.expiry_ms != 0 && unix_ms && *unix_ms > command.expiry_ms) {
        return ResultCode::expired;
    }
    if (command.expiry_ms != 0 && command.not_before_ms > command.expiry_ms) {
        return ResultCode::too_early;
    }
    return ports_.check(command);
}

CommandResult Commands::result_of(const JournalEntry& known) {
    return {known.id, known.target, known.code, sentence(known.code), known.value};
}

bool Commands::answered(const CommandId& id, CommandSource source, Instant now) {
    if (const Job* const job = find(id)) {
        if (job->durable) {
            ports_.begun(id, done);
        } else if (job->begun && job->step == Step::reporting) {
            ports_.begun(id, JW_FAIL(busy));
        }
        return true;  // under way, its end is told
    }
    const JournalEntry* const known = journal_.find(id);
    if (known == nullptr) {
        return false;
    }
    ports_.begun(id, done);
    ports_.finished(result_of(*known), source, now);
    return true;
}

ResultCode Commands::submit(const Command& command,
                            CommandSource source,
                            std::optional<std::int64_t> unix_ms,
                            Instant now,
                            const RequestKey& asked) {
    know_time(unix_ms);
    if (answered(command.id, source, now)) {
        return ResultCode::executed;
    }
    ResultCode code = judge(command, source, unix_ms);
    if (code == ResultCode::executed && jobs_.full()) {
        code = ResultCode::busy;
    }
    if (code != ResultCode::executed) {
        refuse(command, code, source, now);
        return code;
    }
    Job job;
    job.command = command;
    job.source = source;
    job.asked = asked;
    job.result.id = command.id;
    job.result.target = command.target;
    CHECK(jobs_.push(job));
    (void)step(unix_ms, now);
    return ResultCode::executed;
}

void Commands::refuse(const Command& command, ResultCode code, CommandSource source, Instant now) {
    ++refused_;
    // Whoever refused it may not know who sent it: what bears the id of a true command must neither
    // end that one nor be told as its result.
    if (answered(command.id, source, now)) {
        return;
    }
    const CommandResult result{command.id, command.target, code, sentence(code), std::nullopt};
    if (source == CommandSource::local || jobs_.full()) {
        ports_.finished(result, source, now);  // told on the spot; no record
        return;
    }
    Job job;
    job.command = command;
    job.source = source;
    job.result = result;
    CHECK(jobs_.push(job));
    report(jobs_[jobs_.size() - 1], now);
}

/// Whether a command that waits begins, acts, or has waited too long.
void Commands::take_turn(Job& job, Instant now) {
    if (job.begun) {
        if (!device_busy(job)) {
            act(job, now);
        }
        return;
    }
    const Command& command = job.command;
    const bool early =
        command.not_before_ms != 0 && (!unix_ms_ || *unix_ms_ < command.not_before_ms);
    const bool expired = command.expiry_ms != 0 && unix_ms_ && *unix_ms_ > command.expiry_ms;
    if (expired) {
        job.result.code = ResultCode::expired;
        job.result.text = sentence(ResultCode::expired);
        report(job, now);
    } else if (counter_used(job)) {
        job.result.code = ResultCode::repeated;  // a later one of the issuer began first
        job.result.text = sentence(ResultCode::repeated);
        report(job, now);
    } else if (job.source == CommandSource::local ||
               (!early && !device_busy(job) && !behind_another(job))) {
        // Who asked from here waits for the journal, and it alone knows the command; what came
        // from afar is still there after a restart.
        begin(job, now);
    }
}

Instant Commands::step(std::optional<std::int64_t> unix_ms, Instant now) {
    know_time(unix_ms);
    journal_full_ = journal_full_ && !journal_.has_room(unix_ms);
    Instant next = never;
    for (std::size_t i = jobs_.size(); i > 0; --i) {
        Job& job = jobs_[i - 1];
        if (job.step == Step::waiting) {
            take_turn(job, now);
        } else if (job.step == Step::acting && now >= job.deadline) {
            end(job, ResultCode::device_silent, std::nullopt, now);
        } else if (job.step == Step::ending && now >= job.deadline) {
            end(job, job.result.code, job.result.value, now);  // the journal failed before
        } else if (job.step == Step::reporting) {
            if (job.record.seq == 0) {
                report(job, now);
            }
            if (job.record.seq != 0 && outbox_.accepted_to(RecordClass::result) >= job.record.seq) {
                close(i - 1, now);
                continue;
            }
        }
        next = earlier(next, job.step == Step::acting ? job.deadline : now + retry);
    }
    return next;
}

void Commands::begin(Job& job, Instant now) {
    CHECK(journal_.find(job.command.id) ==
          nullptr);  // I-26: what was begun once is not begun again
    job.step = Step::beginning;
    job.begun = true;
    job.ticket = next_ticket_++;
    job.result.code = ResultCode::interrupted;  // what a restart would find
    if (const Status put = journal_.put(entry(job, CommandPhase::begun), job.ticket, unix_ms_);
        !put) {
        not_written(job, put.error(), now);
    }
}

/// Not durable, so not asked: the device did nothing.
void Commands::not_written(Job& job, Error error, Instant now) {
    job.result.code = ResultCode::busy;
    // What the disk refused stands in the table all the same; its own "full" is none of the table.
    if (journal_.find(job.command.id) == nullptr) {
        journal_full_ = true;
        job.result.text = "Too many signed commands have not expired; try again when some have.";
    } else {
        job.result.text = "The disk did not take it, so the device was not asked.";
        error.code = error.code == Code::full ? Code::denied : error.code;
    }
    report(job, now);
    ports_.begun(job.command.id, error);
}

void Commands::synced(SyncTicket ticket, Status result, Instant now) {
    journal_.synced(ticket, result.has_value());
    for (Job& job : jobs_) {
        if (job.ticket == 0 || job.ticket != ticket) {
            continue;
        }
        if (result && !job.durable) {
            job.durable = true;
            ports_.begun(job.command.id, done);
        }
        if (job.step == Step::beginning) {
            if (!result) {
                not_written(job, result.error(), now);
            } else if (device_busy(job)) {
                job.step = Step::waiting;
            } else {
                act(job, now);
            }
        } else if (job.step == Step::ending) {
            if (result) {
                report(job, now);
            } else {
                job.deadline = now + retry;
            }
        }
        return;
    }
}

void Commands::act(Job& job, Instant now) {
    job.step = Step::acting;
    job.deadline = now + act_timeout;
    const CommandId id = job.command.id;
    const ResultCode code = ports_.act(job.command, now);
    // The device may have ended it inside act(); the job is looked up again.
    if (Job* same = find(id); same != nullptr && code != ResultCode::executed) {
        end(*same, code, std::nullopt, now);
    }
}

const Command* Commands::acting(std::string_view target) const {
    for (const Job& job : jobs_) {
        if (job.step == Step::acting && job.command.target == target) {
            return &job.command;
        }
    }
    return nullptr;
}

void Commands::acted(std::string_view target,
                     ResultCode code,
                     std::optional<std::int64_t> value,
                     Instant now) {
    for (Job& job : jobs_) {
        if (job.step == Step::acting && job.command.target == target) {
            end(job, code, value, now);
            return;
        }
    }
}

void Commands::end(Job& job, ResultCode code, std::optional<std::int64_t> value, Instant now) {
    job.step = Step::ending;
    job.result.code = code;
    job.result.text = sentence(code);
    job.result.value = value;
    job.ticket = next_ticket_++;
    job.deadline = never;
    if (!journal_.put(entry(job, CommandPhase::ended), job.ticket, unix_ms_)) {
        job.deadline = now + retry;
    }
}

void Commands::report(Job& job, Instant now) {
    job.step = Step::reporting;
    job.ticket = 0;
    std::array<std::uint8_t, 256> payload{};
    Writer out(payload);
    to_cbor(job.result, out);
    CHECK(out.ok());
    const auto id = outbox_.append(RecordClass::result, RecordKind::result, out.written(), now);
    job.record = id ? *id : RecordId{};  // else tried again by step()
}

void Commands::close(std::size_t index, Instant now) {
    const Job job = jobs_[index];
    jobs_.remove(index);
    if (job.begun) {
        // Needs no wait: if this entry is lost, the same result is reported once more.
        (void)journal_.put(entry(job, CommandPhase::reported), next_ticket_++, unix_ms_);
    }
    ports_.finished(job.result, job.source, now);
}

}  // namespace jw
