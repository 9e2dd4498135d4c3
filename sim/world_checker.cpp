// SPDX-License-Identifier: Apache-2.0
// Reading what was accepted and what arrived.
#include "sim/world_checker.h"

#include <algorithm>
#include <charconv>

#include "core/base/cbor.h"
#include "core/base/json.h"
#include "core/model/command.h"
#include "core/model/event.h"

namespace jw::sim {
namespace {

constexpr Duration act_wait_max = seconds(30);

std::uint64_t checksum(std::string_view text) {
    Trace sum;
    sum.add(as_bytes(text));
    return sum.value();
}

template <class M>
std::string content_of(Bytes payload) {
    M message;
    Reader in(payload);
    if (!from_cbor(in, message)) {
        return "undecodable";
    }
    std::vector<char> room(8192);
    Text out(room);
    bool first = false;
    to_json_members(message, out, first);
    return std::string(out.view());
}

std::string content_of(const Record& record) {
    switch (record.kind) {
        case RecordKind::reading:
            return content_of<Reading>(record.payload);
        case RecordKind::event:
            return content_of<Event>(record.payload);
        case RecordKind::fault:
            return content_of<Fault>(record.payload);
        case RecordKind::result:
            break;
    }
    return content_of<CommandResult>(record.payload);
}

/// The number behind `key`; takes both off the front of `text`. False where it does not stand
/// there.
template <class T>
bool take_number(std::string_view& text, std::string_view key, T& number) {
    if (text.substr(0, key.size()) != key) {
        return false;
    }
    const char* const from = text.data() + key.size();
    const auto read = std::from_chars(from, text.data() + text.size(), number);
    if (read.ec != std::errc{}) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
    return true;
}

/// The object at the front of `text`, with its braces; taken off. Empty where none stands there.
std::string_view take_object(std::string_view& text) {
    unsigned depth = 0;
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quoted) {
            i += c == '\\' ? 1 : 0;
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{') {
            ++depth;
        } else if (c == '}' && --depth == 0) {
            const std::string_view object = text.substr(0, i + 1);
            text.remove_prefix(i + 1);
            return object;
        } else if (depth == 0) {
            return {};
        }
    }
    return {};
}

std::string place(std::size_t record_class, std::uint64_t seq) {
    return ": class " + std::to_string(record_class) + " seq " + std::to_string(seq);
}

}  // namespace

void WorldChecker::wrong(std::string what) {
    stage_.trace.add(checksum(what));
    if (broken_.empty()) {
        broken_ = "at " + std::to_string(stage_.now.ms()) + " ms: " + std::move(what);
    }
}

void WorldChecker::audit(Outbox& outbox, Instant local_now) {
    std::array<std::uint8_t, Storage::block_size> buffer{};
    for (std::size_t i = 0; i < record_classes; ++i) {
        const auto record_class = static_cast<RecordClass>(i);
        if (outbox.accepted_to(record_class) <= audited_[i]) {
            continue;
        }
        Cursor cursor;
        cursor.record_class = record_class;
        cursor.seq = audited_[i] + 1;
        while (cursor.seq <= outbox.accepted_to(record_class)) {
            const auto item = outbox.next(cursor, buffer, local_now);
            if (!item) {
                wrong("an accepted record cannot be read" + place(i, cursor.seq));
                return;
            }
            if (item->record) {
                take(*item->record);
            }
        }
        audited_[i] = cursor.seq - 1;
    }
}

void WorldChecker::take(const Record& record) {
    const auto index = static_cast<std::size_t>(record.id.record_class);
    if (accepted_[index].size() < record.id.seq) {
        accepted_[index].resize(record.id.seq);
    }
    Accepted& accepted = accepted_[index][record.id.seq - 1];
    if (accepted.known) {
        wrong("a number was used twice" + place(index, record.id.seq));
    }
    accepted.known = true;
    accepted.epoch = record.id.epoch;
    accepted.time = record.time;
    accepted.at = stage_.now;
    accepted.content = checksum(content_of(record));
    ++counts_.accepted;
    if (record.kind == RecordKind::result) {
        CommandResult result;
        Reader in(record.payload);
        std::string_view id;
        if (from_cbor(in, result)) {
            id = result.id.view();
        }
        (void)take_number(id, "c-", accepted.command);
        accepted.says_executed = result.code == ResultCode::executed;
    }
}

WorldChecker::Accepted* WorldChecker::find(std::size_t record_class, std::uint64_t seq) {
    auto& all = accepted_[record_class];
    return seq >= 1 && seq <= all.size() && all[seq - 1].known ? &all[seq - 1] : nullptr;
}

void WorldChecker::arrived(std::string_view batch) {
    constexpr std::string_view epoch_key = "\"epoch\":\"";
    const std::size_t at = batch.find(epoch_key);
    std::uint64_t epoch = 0;
    std::size_t record_class = record_classes;
    if (at != std::string_view::npos) {
        const char* const digits = batch.data() + at + epoch_key.size();
        (void)std::from_chars(digits, digits + 16, epoch, 16);
        batch.remove_prefix(at + epoch_key.size() + 16);
        (void)take_number(batch, "\",\"class\":", record_class);
    }
    const std::size_t array = batch.find('[');
    if (record_class >= record_classes || array == std::string_view::npos) {
        wrong("a batch cannot be read");
        return;
    }
    received_epoch_ = epoch;
    batch.remove_prefix(array + 1);
    take_records(batch, epoch, record_class);
    advance(record_class);
}

void WorldChecker::take_records(std::string_view& rest,
                                std::uint64_t epoch,
                                std::size_t record_class) {
    constexpr std::string_view gaps_key = "],\"gaps\":[";
    bool gaps = false;
    while (!rest.empty()) {
        if (rest.front() == ',') {
            rest.remove_prefix(1);
        }
        if (!gaps && rest.substr(0, gaps_key.size()) == gaps_key) {
            gaps = true;
            rest.remove_prefix(gaps_key.size());
        }
        if (rest.substr(0, 2) == "]}" || rest.empty()) {
            return;
        }
        const std::string_view object = take_object(rest);
        if (object.empty()) {
            wrong("a batch cannot be read");
            return;
        }
        gaps ? gap_arrived(object, record_class) : record_arrived(object, epoch, record_class);
    }
}

void WorldChecker::record_arrived(std::string_view record,
                                  std::uint64_t epoch,
                                  std::size_t record_class) {
    std::uint64_t seq = 0;
    std::int64_t unix_ms = 0;
    BootTime time;
    const bool read = take_number(record, "{\"seq\":", seq);
    const bool wall = take_number(record, ",\"time\":", unix_ms);
    if (!read || (!wall && (!take_number(record, ",\"boot\":", time.boot) ||
                            !take_number(record, ",\"up_ms\":", time.up_ms)))) {
        wrong("a record cannot be read");
        return;
    }
    record.remove_suffix(1);
    Accepted* const accepted = find(record_class, seq);
    if (accepted == nullptr || accepted->epoch != epoch) {
        ++counts_.invented;
        wrong("a record arrived that was never accepted" + place(record_class, seq));
        return;
    }
    const bool same_time = wall ? boots_[accepted->time.boot] + accepted->time.up_ms == unix_ms
                                : time == accepted->time;
    if (accepted->content != checksum(record) || !same_time) {
        ++counts_.changed;
        wrong((same_time ? "a record arrived with other content"
                         : "a record arrived with another time") +
              place(record_class, seq));
    }
    if (accepted->arrived) {
        ++counts_.repeated;
        return;
    }
    accepted->arrived = true;
    ++counts_.delivered;
    // What overtakes on purpose, and what was under way behind a refused batch, is out of order.
    const bool ordered = !stage_.has(WorldFault::fresh_first) && !stage_.has(WorldFault::refusal);
    if (seq < highest_[record_class] && ordered) {
        ++counts_.disordered;
        wrong("a record arrived behind a later one" + place(record_class, seq));
    }
    highest_[record_class] = std::max(highest_[record_class], seq);
    if (const auto fate = commands_.find(accepted->command); fate != commands_.end()) {
        ++fate->second.reported;
        if (accepted->says_executed && !fate->second.stood) {
            wrong("a command counts as executed and was not: c-" + std::to_string(fate->first));
        }
    }
    if (told_[record_class].size() < seq) {
        told_[record_class].resize(seq);
    }
    told_[record_class][seq - 1] = true;
}

void WorldChecker::gap_arrived(std::string_view gap, std::size_t record_class) {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    if (!take_number(gap, "{\"from\":", from) || !take_number(gap, ",\"to\":", to) || from == 0 ||
        to < from || to > audited_[record_class]) {
        wrong("a gap over numbers that were never used, class " + std::to_string(record_class));
        return;
    }
    const bool dropped = gap.find("\"dropped\"") != std::string_view::npos;
    const bool rejected = gap.find("\"rejected\"") != std::string_view::npos;
    const bool allowed = (dropped && stage_.has(WorldFault::small_store)) ||
                         (rejected && stage_.has(WorldFault::refusal));
    told_[record_class].resize(std::max<std::size_t>(told_[record_class].size(), to));
    for (std::uint64_t seq = from; seq <= to; ++seq) {
        told_[record_class][seq - 1] = true;
        Accepted* const accepted = find(record_class, seq);
        if (accepted == nullptr || accepted->arrived || accepted->given_up) {
            continue;
        }
        accepted->given_up = true;
        ++counts_.gaps;
        if (const auto fate = commands_.find(accepted->command); fate != commands_.end()) {
            ++fate->second.reported;  // as far as the broker would take it
        }
        if (!allowed) {
            ++counts_.lost;
            wrong("an accepted record was given up without need" + place(record_class, seq));
        }
    }
}

void WorldChecker::advance(std::size_t record_class) {
    const auto& told = told_[record_class];
    std::uint64_t& to = received_[record_class];
    while (to < told.size() && told[to]) {
        ++to;
    }
}

void WorldChecker::commanded(std::size_t id, std::size_t unit, bool value, Instant expiry) {
    // A write that is lost counts as executed where reading back shows the value wanted.
    commands_[id] = {unit, value, expiry, open_[unit] != value, 0, 0};
    ++counts_.commands;
}

void WorldChecker::written(std::size_t unit, bool value) {
    open_[unit] = !value;
    for (auto& [id, fate] : commands_) {
        fate.stood = fate.stood || (fate.unit == unit && fate.value == value);
    }
    // A command that was reported silent may have acted; none acts later than its device may wait.
    for (auto& [id, fate] : commands_) {
        if (fate.unit == unit && fate.value == value && fate.executed == 0 &&
            stage_.now < fate.expiry + act_wait_max) {
            ++fate.executed;
            ++counts_.executed;
            return;
        }
    }
    ++counts_.executed_twice;
    wrong("device " + std::to_string(unit) + " was switched without a command");
}

bool WorldChecker::complete(Instant before) const {
    for (const auto& all : accepted_) {
        for (const Accepted& accepted : all) {
            if (accepted.known && !accepted.arrived && !accepted.given_up && accepted.at < before) {
                return false;
            }
        }
    }
    return std::all_of(commands_.begin(), commands_.end(), [](const auto& command) {
        return command.second.reported > 0;
    });
}

void WorldChecker::finish(Instant before) {
    for (std::size_t i = 0; i < record_classes; ++i) {
        for (std::size_t k = 0; k < accepted_[i].size(); ++k) {
            const Accepted& accepted = accepted_[i][k];
            if (accepted.known && !accepted.arrived && !accepted.given_up && accepted.at < before) {
                ++counts_.lost;
                wrong("an accepted record never arrived" + place(i, k + 1));
            }
        }
    }
    for (const auto& [id, fate] : commands_) {
        if (fate.reported == 0) {
            ++counts_.unreported;
            wrong("a command was never reported: c-" + std::to_string(id));
        }
    }
}

}  // namespace jw::sim
