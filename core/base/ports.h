// SPDX-License-Identifier: Apache-2.0
#pragma once
// The three ports: what a platform supplies so that the core runs on it. This header is the
// specification for whoever ports the core. host/, firmware/ and sim/ implement what they
// need of them: ARCHITECTURE.md has the table.
//
// What is *not* a port: time is an argument (Instant), settings are a message.
#include <cstdint>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace jw {

/// Where bytes leave to: a serial line, a TCP connection, a UART. Received bytes come in the other
/// way: the program hands them to the line that owns the bus.
class Bus {
  public:
    /// Takes all of `bytes` for sending, or none. Never waits; copies what it needs.
    /// Errors: busy (the previous bytes are not out yet), not_found (not connected).
    virtual Status send(Bytes bytes) = 0;

  protected:
    ~Bus() = default;
};

/// Names one request to make everything written so far durable.
using SyncTicket = std::uint32_t;

/// Block storage that survives power cuts: a file or a flash partition.
///
/// Fault model that the caller must survive: between two finished syncs any subset of the writes
/// may be on the medium, in any order, the last one torn at any byte; a sync may fail; any bit may
/// rot.
class Storage {
  public:
    static constexpr std::uint32_t block_size = 4096;

    [[nodiscard]] virtual std::uint32_t block_count() const = 0;
    /// Whether read() may show what never reaches the medium (a file behind a cache that outlives
    /// this program). Such a storage takes bytes again without an erase. False for flash.
    [[nodiscard]] virtual bool is_cached() const = 0;
    /// Reads what was written last, whether synced or not. Errors: internal (the medium failed).
    virtual Status read(std::uint64_t at, MutableBytes out) = 0;
    /// Writes inside one block. Flash can only turn ones into zeros: the caller writes each byte
    /// once between two erases. Never waits for the medium; a failure may also show at the next
    /// sync. Errors: full (no space left), denied (read-only), internal; busy (too much is not
    /// synced yet: nothing of these bytes was written).
    virtual Status write(std::uint64_t at, Bytes bytes) = 0;
    /// Prepares a block for writing. Flash: every byte is 0xFF afterwards. File: the bytes of the
    /// block's former life may stay, the caller must not take them for its own.
    virtual Status erase(std::uint32_t block) = 0;
    /// Asks for everything written before to become durable. The answer comes as
    /// synced(ticket, result) through the program's loop, perhaps before this call returns.
    /// Several may be under way; tickets are answered in order. After a failure nothing written
    /// since the last success counts, so that those that are under way then fail too.
    virtual void sync(SyncTicket ticket) = 0;

  protected:
    ~Storage() = default;
};

/// Keys and randomness.
class Vault {
  public:
    /// Fills `out` with random bytes fit for keys and ids.
    virtual void random(MutableBytes out) = 0;
    /// Copies the secret of that name into `out`; gives its size. Errors: not_found, full.
    virtual Result<std::size_t> secret(std::string_view name, MutableBytes out) = 0;
    /// Signs with the device's own key; gives the size of the signature. Errors: not_found, full.
    virtual Result<std::size_t> sign(Bytes message, MutableBytes signature) = 0;

  protected:
    ~Vault() = default;
};

}  // namespace jw
