// SPDX-License-Identifier: Apache-2.0
// `joulectl outbox`: looks into the store of a gateway, running or not, damaged or not. The store
// is opened by the outbox itself, over a layer that keeps what it would write in memory.
#include "core/outbox/outbox.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "apps/joulectl/read_only_storage.h"
#include "apps/joulectl/subcommands.h"
#include "core/base/cbor.h"
#include "core/base/json.h"
#include "core/model/command.h"
#include "core/model/event.h"

namespace joulectl {
namespace {

using namespace jw;
using Json = nlohmann::ordered_json;

/// A store that was opened for reading.
class OpenStore {
  public:
    /// Throws UsageError where there is no store, Failure where it cannot be opened.
    explicit OpenStore(const std::string& folder)
        : storage_((std::filesystem::path(folder) / "outbox.store").string()),
          // As many as there can be: a damaged superblock does not tell.
          segments_(storage_.block_count()),
          outbox_(storage_, settings_, {segments_, {}, clocks_, record_}) {
        const bool any = has_superblock();
        const std::uint64_t fresh = std::uint64_t{std::random_device()()} << 32 | 1;
        const Status opened = outbox_.open({}, fresh, Instant{});
        storage_.answer([this](SyncTicket ticket) { outbox_.synced(ticket, done, Instant{}); });
        if (!opened) {
            throw Failure(folder + ": the store cannot be opened (" + code_name(opened.code()) +
                          (opened.code() == Code::unsupported
                               ? "); a newer version wrote it: take that version's joulectl"
                               : "); it is too small, or its medium cannot be read"));
        }
        bool empty = true;
        for (std::size_t i = 0; i < record_classes; ++i) {
            empty = empty && outbox_.appended_to(static_cast<RecordClass>(i)) == 0;
        }
        if (!any && empty) {
            throw Failure(folder + ": outbox.store holds no store, nor the remains of one");
        }
    }

    using Visit = std::function<void(RecordClass, const Item&)>;

    /// Everything that the store holds, class after class, in order of the numbers.
    void walk(const Visit& visit) {
        std::vector<std::uint8_t> buffer(Storage::block_size);
        for (std::size_t i = 0; i < record_classes; ++i) {
            Cursor cursor;
            cursor.record_class = static_cast<RecordClass>(i);
            cursor.seq = 1;
            for (auto item = outbox_.next(cursor, buffer, Instant{}); item;
                 item = outbox_.next(cursor, buffer, Instant{})) {
                visit(cursor.record_class, *item);
                progress(cursor);
            }
        }
        if (shown_) {
            std::fputc('\n', stderr);
        }
    }

    [[nodiscard]] const Outbox& outbox() const { return outbox_; }

  private:
    /// Whether the outbox would have found a store, or made a new one.
    [[nodiscard]] bool has_superblock() {
        std::array<std::uint8_t, Superblock::size> bytes{};
        for (std::uint32_t copy = 0; copy < Superblock::copies; ++copy) {
            const bool read =
                storage_.read(std::uint64_t{copy} * Storage::block_size, bytes).has_value();
            if (read && decode_superblock(bytes)) {
                return true;
            }
        }
        return false;
    }

    static OutboxSettings reading() {
        OutboxSettings settings;
        for (ClassSettings& each : settings.classes) {
            each.reserve_segments = 0;
        }
        return settings;
    }

    void progress(const Cursor& cursor) {
        if (++items_ % 100'000 == 0 && isatty(STDERR_FILENO) != 0) {
            shown_ = true;
            std::fprintf(stderr,
                         "\r%s: number %llu of %llu ",
                         enum_name(cursor.record_class),
                         static_cast<unsigned long long>(cursor.seq),
                         static_cast<unsigned long long>(outbox_.appended_to(cursor.record_class)));
        }
    }

    ReadOnlyStorage storage_;
    OutboxSettings settings_ = reading();
    std::vector<Segment> segments_;
    std::array<ClockPair, 16> clocks_{};
    std::array<std::uint8_t, limits::record_payload_max + Outbox::record_overhead> record_{};
    Outbox outbox_;
    std::uint64_t items_ = 0;
    bool shown_ = false;
};

/// The message of a record as JSON text; nothing where its payload is not what its kind says.
template <class M>
std::optional<std::string> message_json(Bytes payload) {
    M message;
    Reader in(payload);
    if (!from_cbor(in, message)) {
        return std::nullopt;
    }
    std::vector<char> room(16 * 1024);
    Text text(room);
    to_json(message, text);
    return text.ok() ? std::optional(std::string(text.view())) : std::nullopt;
}

std::optional<std::string> record_json(const Record& record) {
    switch (record.kind) {
        case RecordKind::reading:
            return message_json<Reading>(record.payload);
        case RecordKind::event:
            return message_json<Event>(record.payload);
        case RecordKind::fault:
            return message_json<Fault>(record.payload);
        case RecordKind::result:
            return message_json<CommandResult>(record.payload);
    }
    return std::nullopt;
}

std::string epoch_text(std::uint64_t epoch) {
    std::array<char, 16> room{};
    Text text(room);
    text.hex(epoch, 16);
    return std::string(text.view());
}

void print(const Json& line) {
    std::printf("%s\n", line.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
}

int dump(OpenStore& store) {
    int unreadable = 0;
    store.walk([&](RecordClass record_class, const Item& item) {
        Json line{{"class", enum_name(record_class)}};
        if (!item.record) {
            line["epoch"] = epoch_text(item.gap.epoch);
            line["gap"] = {{"from", item.gap.from},
                           {"to", item.gap.to},
                           {"reason", enum_name(item.gap.reason)}};
            print(line);
            return;
        }
        const Record& record = *item.record;
        line["epoch"] = epoch_text(record.id.epoch);
        line["seq"] = record.id.seq;
        line["kind"] = enum_name(record.kind);
        line["boot"] = record.time.boot;
        line["up_ms"] = record.time.up_ms;
        if (const auto time = store.outbox().wall_time().unix_ms(record.time)) {
            line["time"] = *time;
        }
        const auto message = record_json(record);
        if (message) {
            line["message"] = Json::parse(*message, nullptr, false);
        } else {
            ++unreadable;
            line["error"] = "malformed";
        }
        print(line);
    });
    return unreadable == 0 ? 0 : 1;
}

struct ClassCount {
    std::uint64_t records = 0;
    std::uint64_t bytes = 0;
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    std::uint64_t malformed = 0;
    std::array<std::uint64_t, enum_names(GapReason{}).size()> gaps{};
};

using Counts = std::array<ClassCount, record_classes>;

Counts count_all(OpenStore& store, bool look_inside) {
    Counts counts{};
    store.walk([&](RecordClass record_class, const Item& item) {
        ClassCount& count = counts[static_cast<std::size_t>(record_class)];
        if (!item.record) {
            const auto reason = static_cast<std::size_t>(item.gap.reason);
            count.gaps[reason] += item.gap.to - item.gap.from + 1;
            return;
        }
        ++count.records;
        count.bytes += item.record->payload.size();
        count.first = count.first == 0 ? item.record->id.seq : count.first;
        count.last = item.record->id.seq;
        if (look_inside && !record_json(*item.record)) {
            ++count.malformed;
        }
    });
    return counts;
}

void print_counts(const OpenStore& store, const Counts& counts) {
    for (std::size_t i = 0; i < record_classes; ++i) {
        const auto record_class = static_cast<RecordClass>(i);
        const ClassCount& count = counts[i];
        Json line{{"class", enum_name(record_class)},
                  {"records", count.records},
                  {"bytes", count.bytes},
                  {"first", count.first},
                  {"last", count.last},
                  {"appended_to", store.outbox().appended_to(record_class)}};
        for (std::size_t reason = 0; reason < count.gaps.size(); ++reason) {
            line[enum_name(static_cast<GapReason>(reason))] = count.gaps[reason];
        }
        line["malformed"] = count.malformed;
        print(line);
    }
}

int verify(OpenStore& store) {
    const Counts counts = count_all(store, true);
    print_counts(store, counts);
    std::uint64_t damaged = 0;
    for (const ClassCount& count : counts) {
        damaged += count.malformed + count.gaps[static_cast<std::size_t>(GapReason::damaged)];
    }
    if (damaged > 0) {
        std::fprintf(stderr,
                     "joulectl: %llu records are damaged; all others are whole and will be sent\n",
                     static_cast<unsigned long long>(damaged));
    }
    return damaged == 0 ? 0 : 1;
}

}  // namespace

int outbox(const OutboxOptions& options) {
    OpenStore store(options.folder);
    if (options.action == "dump") {
        return dump(store);
    }
    if (options.action == "verify") {
        return verify(store);
    }
    print_counts(store, count_all(store, false));
    return 0;
}

}  // namespace joulectl
