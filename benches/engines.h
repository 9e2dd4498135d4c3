// SPDX-License-Identifier: Apache-2.0
#pragma once
// What durable appends are measured with: our outbox, a plain log, SQLite and RocksDB.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/bytes.h"

namespace jw::bench {

class Engine {
  public:
    virtual ~Engine() = default;
    /// Returns when all of them are on the medium (the outbox that appends ahead: all of the batch
    /// before).
    virtual void append(std::span<const Bytes> records) = 0;
    /// Returns when everything is.
    virtual void finish() {}
};

/// Files of `bytes`, written beforehand where the engine has such.
enum class Ahead : bool { no, yes };
/// As in the gateway. Ahead: a batch is appended while the two before it are on their way to the
/// medium, since append() never waits; still one sync a batch.
std::unique_ptr<Engine> outbox_engine(const std::string& folder, std::uint64_t bytes, Ahead ahead);
/// One checksum a record, one write and one fdatasync a batch, in a file written beforehand.
std::unique_ptr<Engine> plain_log_engine(const std::string& folder, std::uint64_t bytes);
/// journal_mode WAL, synchronous FULL, one transaction a batch, prepared statements.
std::unique_ptr<Engine> sqlite_engine(const std::string& folder);
/// One synced WriteBatch a batch, everything else as it comes.
std::unique_ptr<Engine> rocksdb_engine(const std::string& folder);

}  // namespace jw::bench
