// SPDX-License-Identifier: Apache-2.0
#pragma once
// FileStorage: the port Storage on one file, with threads that write and sync.
#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/ports.h"
#include "host/guard.h"
#include "host/histogram.h"
#include "host/loop.h"

namespace jw {

struct FileStorageSettings {
    std::string file = "outbox.store";
    std::string directory;  // made (0750) where only its last part is missing
    std::uint64_t bytes_max = 512ULL << 20;
    /// Bytes that are written and not durable yet; beyond it write() says busy (or, where the
    /// medium fails, what it fails with).
    std::size_t queue_bytes_max = 1U << 20;
    /// How bytes are made durable; tests put in slow and failing ones. Called by several threads.
    std::function<int(int fd)> sync_file = {};
};

struct FileStorageCounters {
    std::uint64_t bytes_written = 0;  // to the file, zeros written ahead included
    std::uint64_t writes = 0;         // pwrite calls for data
    std::uint64_t syncs = 0;
    std::uint64_t sync_failures = 0;
};

/// The file is as long as the bound from the beginning, but takes disk space only as
/// it is used: 1 MiB chunks are filled with zeros before their first use, since writing into them
/// later is then a matter of data alone (an allocated but unwritten chunk costs a journal commit
/// with each sync).
///
/// With a loop, write() copies, and the answer to a sync is posted to the loop. Two threads take
/// turns: one writes at a time, in order, and while it waits for the medium the other one writes
/// what came meanwhile. Without a loop (tools, benches) everything happens within sync().
///
/// What a failed sync concerned is kept, stays readable, and is written once more by the next
/// sync: Linux forgets dirty pages after a failed fsync, so asking again alone would prove nothing.
/// Syncs behind a failed one fail too. Each thread has the file opened for itself, since the kernel
/// tells a failure once to each who has it open.
class FileStorage final : public Storage {
  public:
    using Synced = std::function<void(SyncTicket ticket, Status result)>;

    /// `loop` may be null. `synced` is called for each ticket, in order, on the loop's thread.
    FileStorage(Loop* loop, FileStorageSettings settings, Synced synced);
    FileStorage(const FileStorage&) = delete;
    FileStorage& operator=(const FileStorage&) = delete;
    /// Writes and syncs what is queued.
    ~FileStorage();

    /// Errors: busy (another process has it), denied, full, not_found, internal; trouble() says it
    /// in words. A file that is longer than the bound keeps its length.
    Status open();
    [[nodiscard]] const std::string& trouble() const { return trouble_; }
    [[nodiscard]] const std::string& path() const { return path_; }
    /// When the file was made, which a copy of it does not share; 0 where the file system does not
    /// say. Valid after open().
    [[nodiscard]] std::uint64_t born_ns() const;
    /// Writes zeros ahead over the first `bytes` of the file now (benches).
    Status prewrite(std::uint64_t bytes);

    [[nodiscard]] std::uint32_t block_count() const override { return block_count_; }
    [[nodiscard]] bool is_cached() const override { return true; }
    Status read(std::uint64_t at, MutableBytes out) override;
    Status write(std::uint64_t at, Bytes bytes) override;
    Status erase(std::uint32_t block) override;
    void sync(SyncTicket ticket) override;

    [[nodiscard]] const FileStorageCounters& counters() const { return counters_; }
    /// How long the medium took for each sync.
    [[nodiscard]] const DurationHistogram& sync_time() const { return sync_time_; }

  private:
    struct Entry {
        std::uint64_t at;
        std::size_t offset;  // in Batch::bytes
        std::size_t size;
    };
    /// Writes in their order, adjacent ones merged, and the syncs that were asked for after them.
    struct Batch {
        std::vector<Entry> entries;
        std::vector<std::uint8_t> bytes;
        std::vector<SyncTicket> tickets;
        std::uint64_t least = UINT64_MAX;  // the range of the file that the entries lie in
        std::uint64_t end = 0;

        void add(std::uint64_t at, Bytes more);
        void add(const Batch& later);
        void overlay(std::uint64_t at, MutableBytes out) const;
        void clear();
    };
    struct Outcome {
        int reason = 0;  // errno
        std::uint64_t bytes_written = 0;
        std::uint64_t writes = 0;
        Duration sync_time;
    };
    /// A batch on its way to the medium. While it is there nobody changes the batch.
    struct Job {
        Batch batch;
        Outcome outcome;
        bool answered = false;  // settled once those before it are
        bool again = false;     // carries what failed before
    };
    static constexpr std::size_t threads_max = 2;
    /// Both threads are busy, and the next batch is there for the first that is not.
    static constexpr std::size_t jobs_max = threads_max + 1;

    Status refuse(int reason, const char* what);
    void hand_over();
    void answered(Job& job);
    void settle(Job& job);
    void fail_all();
    [[nodiscard]] Error failure() const;
    [[nodiscard]] std::size_t bytes_waiting() const;
    // The writers' side: on the threads, or in place where there are none.
    void work(int fd);
    void write_out(Job& job);
    void make_durable(Job& job, int fd);
    int fill_chunk(std::uint64_t chunk, std::uint64_t& bytes_written);
    void fill_ahead();

    Loop* loop_;
    FileStorageSettings settings_;
    Synced synced_;
    std::string path_;
    std::string trouble_;
    int fd_ = -1;  // also the first thread's
    std::uint32_t block_count_ = 0;
    FileStorageCounters counters_;
    DurationHistogram sync_time_;
    std::uint64_t data_end_ = 0;    // behind it the file was never written: zeros without reading
    std::uint64_t read_end_ = 0;    // of the last read
    std::uint64_t hinted_end_ = 0;  // the kernel was told to read up to here

    Batch front_;                     // fills
    Batch kept_;                      // since a failure; goes with the next job
    std::array<Job, jobs_max> jobs_;  // number n lies in n % jobs_max
    std::uint64_t handed_ = 0;        // jobs that were handed to the writers
    std::uint64_t settled_ = 0;       // of them, those that are over
    std::uint64_t failed_to_ = 0;     // jobs before this number fail with one that did
    bool settling_ = false;
    Code failure_ = Code::ok;          // of the last sync
    std::vector<SyncTicket> tickets_;  // being answered

    // Whose turn it is to write owns these three.
    std::vector<bool> filled_;       // chunks known to have no hole
    std::uint64_t ahead_ = 0;        // the chunk to fill next; 0: none
    std::uint64_t ahead_bytes_ = 0;  // written by it, not reported yet

    std::mutex mutex_;  // guards the rest
    std::condition_variable wake_;
    std::uint64_t queued_ = 0;  // handed_, as the threads know it
    std::uint64_t taken_ = 0;   // of them, those that were begun
    bool turn_ = false;         // somebody writes
    bool stopping_ = false;
    std::array<std::thread, threads_max> threads_;
    int second_fd_ = -1;
    Guard guard_;
};

}  // namespace jw
