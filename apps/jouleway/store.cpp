// SPDX-License-Identifier: Apache-2.0
// The store: both files, opened with the memory that outbox and journal take.
#include "apps/jouleway/store.h"

#include <algorithm>

#include "core/base/limits.h"

namespace jw {
namespace {

FileStorageSettings file_settings(const GatewaySettings& settings,
                                  const char* file,
                                  std::uint64_t bytes_max) {
    FileStorageSettings result;
    result.directory = settings.storage.path;
    result.file = file;
    result.bytes_max = bytes_max;
    return result;
}

}  // namespace

Store::Store(Loop& loop, const GatewaySettings& settings, JournalSynced journal_synced)
    : loop_(loop),
      records_(
          &loop,
          file_settings(
              settings, "outbox.store", static_cast<std::uint64_t>(settings.storage.size_mb) << 20),
          [this](SyncTicket ticket, Status result) {
              if (outbox_) {
                  outbox_->synced(ticket, result, Loop::now());
                  loop_.ask_step();
              }
          }),
      commands_(&loop,
                file_settings(settings, "commands.store", journal_bytes),
                std::move(journal_synced)),
      journal_memory_(commands_remembered) {
    for (const GatewaySettings::Sink& sink : settings.sinks) {
        sinks_.push_back(sink.name);
    }
    outbox_settings_.segment_blocks =
        static_cast<std::uint16_t>(settings.storage.segment_kb * 1024 / Storage::block_size);
    outbox_settings_.classes[static_cast<std::size_t>(RecordClass::telemetry)].commit =
        settings.storage.commit;
    for (std::size_t i = 0; i < record_classes; ++i) {
        outbox_settings_.classes[i].ttl_s = settings.storage.ttl_s[i];
        outbox_settings_.classes[i].when_full = settings.storage.when_full[i];
    }
    auto& billing = outbox_settings_.classes[static_cast<std::size_t>(RecordClass::billing)];
    billing.commit = std::min(billing.commit, settings.storage.commit);
}

Status Store::open(std::uint64_t fresh) {
    for (FileStorage* file : {&records_, &commands_}) {
        if (const Status opened = file->open(); !opened) {
            trouble_ = file->trouble();
            return opened;
        }
    }
    segments_.resize(Outbox::segments_needed(records_, outbox_settings_));
    cursors_.resize(std::max<std::size_t>(sinks_.size(), 1));
    clocks_.resize(boots_remembered);
    record_.resize(limits::record_payload_max + Outbox::record_overhead);
    outbox_settings_.medium = records_.born_ns();
    outbox_.emplace(
        records_, outbox_settings_, OutboxMemory{segments_, cursors_, clocks_, record_});
    if (const Status opened = outbox_->open(sinks_, fresh, Loop::now()); !opened) {
        trouble_ = records_.path() + ": the store cannot be opened (" +
                   code_name(opened.error().code) +
                   "). `joulectl outbox verify` says what is wrong with it.";
        return opened;
    }
    journal_.emplace(commands_, journal_memory_);
    if (const Status opened = journal_->open(); !opened) {
        trouble_ = commands_.path() + ": the table of commands cannot be opened (" +
                   code_name(opened.error().code) + ").";
        return opened;
    }
    return done;
}

}  // namespace jw
