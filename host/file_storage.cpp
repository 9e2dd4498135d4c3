// SPDX-License-Identifier: Apache-2.0
// FileStorage: queueing and reading on the loop, writing and syncing on threads that take turns.
#include "host/file_storage.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

namespace jw {
namespace {

constexpr std::uint64_t chunk_size = 1U << 20;
constexpr std::uint64_t hint_size = 1U << 20;
constexpr std::size_t hint_read_least = 512;  // who reads less looks at heads of blocks
constexpr std::size_t idle_capacity = 64U << 10;

Error failure_of(int reason) {
    switch (reason) {
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
            return JW_FAIL(full);
        case EROFS:
        case EACCES:
        case EPERM:
            return JW_FAIL(denied);
        case ENOENT:
        case ENOTDIR:
            return JW_FAIL(not_found);
        default:
            return JW_FAIL(internal);
    }
}

int write_all(int fd, const std::uint8_t* data, std::size_t size, std::uint64_t at) {
    while (size > 0) {
        const ssize_t written = pwrite(fd, data, size, static_cast<off_t>(at));
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return written < 0 ? errno : EIO;
        }
        data += written;
        size -= static_cast<std::size_t>(written);
        at += static_cast<std::uint64_t>(written);
    }
    return 0;
}

/// Where the last data of the file ends; behind it there is only a hole.
std::uint64_t data_end(int fd, std::uint64_t size) {
    std::uint64_t end = 0;
    while (end < size) {
        const off_t data = lseek(fd, static_cast<off_t>(end), SEEK_DATA);
        if (data < 0) {
            return errno == ENXIO ? end : size;
        }
        const off_t hole = lseek(fd, data, SEEK_HOLE);
        if (hole <= data) {
            return size;
        }
        end = static_cast<std::uint64_t>(hole);
    }
    return end;
}

bool sync_directory(const std::string& directory) {
    const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const bool synced = fsync(fd) == 0;
    close(fd);
    return synced;
}

}  // namespace

void FileStorage::Batch::add(std::uint64_t at, Bytes more) {
    if (!entries.empty() && entries.back().at + entries.back().size == at) {
        entries.back().size += more.size();
    } else {
        entries.push_back({at, bytes.size(), more.size()});
    }
    bytes.insert(bytes.end(), more.begin(), more.end());
    least = std::min(least, at);
    end = std::max(end, at + more.size());
}

void FileStorage::Batch::add(const Batch& later) {
    for (const Entry& entry : later.entries) {
        add(entry.at, Bytes(later.bytes).subspan(entry.offset, entry.size));
    }
    tickets.insert(tickets.end(), later.tickets.begin(), later.tickets.end());
}

void FileStorage::Batch::overlay(std::uint64_t at, MutableBytes out) const {
    if (at >= end || at + out.size() <= least) {
        return;
    }
    for (const Entry& entry : entries) {
        const std::uint64_t from = std::max(at, entry.at);
        const std::uint64_t to = std::min(at + out.size(), entry.at + entry.size);
        if (from < to) {
            std::memcpy(out.data() + (from - at),
                        bytes.data() + entry.offset + (from - entry.at),
                        to - from);
        }
    }
}

void FileStorage::Batch::clear() {
    if (bytes.capacity() > idle_capacity && bytes.size() < bytes.capacity() / 4) {
        bytes = {};
    }
    entries.clear();
    bytes.clear();
    tickets.clear();
    least = UINT64_MAX;
    end = 0;
}

FileStorage::FileStorage(Loop* loop, FileStorageSettings settings, Synced synced)
    : loop_(loop),
      settings_(std::move(settings)),
      synced_(std::move(synced)),
      path_(settings_.directory + "/" + settings_.file) {
    if (!settings_.sync_file) {
        settings_.sync_file = [](int fd) { return fdatasync(fd); };
    }
}

FileStorage::~FileStorage() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) {
        if (thread.joinable()) {
            thread.join();
        }
    }
    if (fd_ >= 0) {
        // Nobody heard how the last jobs ended: they go once more.
        Job last;
        last.batch.add(kept_);
        for (; settled_ < handed_; ++settled_) {
            last.batch.add(jobs_[settled_ % jobs_max].batch);
        }
        last.batch.add(front_);
        if (!last.batch.entries.empty()) {
            write_out(last);
            make_durable(last, fd_);
        }
    }
    for (const int fd : {fd_, second_fd_}) {
        if (fd >= 0) {
            close(fd);
        }
    }
}

Status FileStorage::refuse(int reason, const char* what) {
    trouble_ = fmt::format("{}: {}: {}", path_, what, std::strerror(reason));
    if (fd_ >= 0) {
        close(fd_);
        fd_ = -1;
    }
    return failure_of(reason);
}

Status FileStorage::open() {
    if (mkdir(settings_.directory.c_str(), 0750) != 0 && errno != EEXIST) {
        return refuse(errno, "the folder of the store cannot be made");
    }
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (fd_ < 0) {
        return refuse(errno, "the store cannot be opened for writing");
    }
    if (flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        trouble_ = path_ + " is in use by another process: only one may own a store";
        close(fd_);
        fd_ = -1;
        return JW_FAIL(busy);
    }
    struct stat status {};
    if (fstat(fd_, &status) != 0) {
        return refuse(errno, "the store cannot be examined");
    }
    const auto found = static_cast<std::uint64_t>(status.st_size);
    const std::uint64_t size = std::max(found, settings_.bytes_max) / block_size * block_size;
    if (found < size && ftruncate(fd_, static_cast<off_t>(size)) != 0) {
        return refuse(errno, "the store cannot be brought to its size");
    }
    if (found < size && (fsync(fd_) != 0 || !sync_directory(settings_.directory))) {
        return refuse(errno, "the new store cannot be made durable");
    }
    block_count_ = static_cast<std::uint32_t>(size / block_size);
    data_end_ = data_end(fd_, size);
    filled_.assign((size + chunk_size - 1) / chunk_size, false);
    if (loop_ != nullptr) {
        second_fd_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
        if (second_fd_ < 0) {
            return refuse(errno, "the store cannot be opened twice");
        }
        threads_[0] = std::thread([this] { work(fd_); });
        threads_[1] = std::thread([this] { work(second_fd_); });
    }
    return done;
}

Status FileStorage::prewrite(std::uint64_t bytes) {
    for (std::uint64_t chunk = 0; chunk < filled_.size() && chunk * chunk_size < bytes; ++chunk) {
        if (const int reason = fill_chunk(chunk, counters_.bytes_written); reason != 0) {
            return failure_of(reason);
        }
    }
    if (settings_.sync_file(fd_) != 0) {
        return failure_of(errno);
    }
    return done;
}

std::uint64_t FileStorage::born_ns() const {
    struct statx said {};
    const bool known = statx(fd_, "", AT_EMPTY_PATH, STATX_BTIME, &said) == 0 &&
                       (said.stx_mask & STATX_BTIME) != 0;
    return known ? static_cast<std::uint64_t>(said.stx_btime.tv_sec) * 1'000'000'000U +
                       said.stx_btime.tv_nsec
                 : 0;
}

Status FileStorage::read(std::uint64_t at, MutableBytes out) {
    const std::uint64_t size = static_cast<std::uint64_t>(block_count_) * block_size;
    if (at > size || out.size() > size - at) {
        return JW_FAIL(out_of_range);
    }
    if (at >= data_end_) {
        std::fill(out.begin(), out.end(), std::uint8_t{0});
        return done;
    }
    const bool sequential =
        out.size() >= hint_read_least && at >= read_end_ && at - read_end_ <= block_size;
    read_end_ = at + out.size();
    if (!sequential) {
        hinted_end_ = read_end_;
    } else if (read_end_ + hint_size / 2 > hinted_end_) {
        hinted_end_ = std::max(hinted_end_, read_end_);
        (void)posix_fadvise(fd_,
                            static_cast<off_t>(hinted_end_),
                            static_cast<off_t>(hint_size),
                            POSIX_FADV_WILLNEED);
        hinted_end_ += hint_size;
    }
    std::size_t got = 0;
    while (got < out.size()) {
        const ssize_t part =
            pread(fd_, out.data() + got, out.size() - got, static_cast<off_t>(at + got));
        if (part < 0 && errno == EINTR) {
            continue;
        }
        if (part <= 0) {
            return JW_FAIL(internal);
        }
        got += static_cast<std::size_t>(part);
    }
    kept_.overlay(at, out);
    for (std::uint64_t job = settled_; job < handed_; ++job) {
        jobs_[job % jobs_max].batch.overlay(at, out);
    }
    front_.overlay(at, out);
    return done;
}

Status FileStorage::write(std::uint64_t at, Bytes bytes) {
    const std::uint64_t size = static_cast<std::uint64_t>(block_count_) * block_size;
    if (at > size || bytes.size() > size - at) {
        return JW_FAIL(out_of_range);
    }
    if (bytes_waiting() + bytes.size() > settings_.queue_bytes_max) {
        return failure_ == Code::ok ? JW_FAIL(busy) : failure();
    }
    front_.add(at, bytes);
    data_end_ = std::max(data_end_, at + bytes.size());
    hand_over();
    return done;
}

Status FileStorage::erase(std::uint32_t block) {
    if (block >= block_count_) {
        return JW_FAIL(out_of_range);
    }
    return done;
}

void FileStorage::sync(SyncTicket ticket) {
    front_.tickets.push_back(ticket);
    hand_over();
}

std::size_t FileStorage::bytes_waiting() const {
    std::size_t bytes = front_.bytes.size() + kept_.bytes.size();
    for (const Job& job : jobs_) {
        bytes += job.batch.bytes.size();
    }
    return bytes;
}

Error FileStorage::failure() const {
    Error error = JW_FAIL(internal);
    error.code = failure_;
    return error;
}

void FileStorage::hand_over() {
    // Without a request, bytes wait for it until they fill a quarter of the queue. After a failure
    // nothing goes before all is answered: then it goes together with what failed.
    const std::size_t most = loop_ == nullptr ? 1 : jobs_max;
    while (!settling_ && handed_ - settled_ < most && settled_ >= failed_to_ &&
           (!front_.tickets.empty() || front_.bytes.size() >= settings_.queue_bytes_max / 4)) {
        Job& job = jobs_[handed_ % jobs_max];
        if (kept_.entries.empty()) {
            std::swap(front_, job.batch);
        } else {
            kept_.add(front_);
            front_.clear();
            std::swap(kept_, job.batch);
            job.again = true;
        }
        ++handed_;
        if (loop_ == nullptr) {
            write_out(job);
            make_durable(job, fd_);
            answered(job);
            continue;
        }
        {
            const std::lock_guard lock(mutex_);
            queued_ = handed_;
        }
        wake_.notify_one();
    }
}

void FileStorage::answered(Job& job) {
    job.answered = true;
    // Whatever is written or asked for by the callers' answers waits until this is over.
    settling_ = true;
    while (settled_ < handed_ && jobs_[settled_ % jobs_max].answered) {
        settle(jobs_[settled_ % jobs_max]);
    }
    settling_ = false;
    if (loop_ != nullptr) {
        hand_over();
    }
}

void FileStorage::settle(Job& job) {
    const Outcome outcome = std::exchange(job.outcome, {});
    counters_.bytes_written += outcome.bytes_written;
    counters_.writes += outcome.writes;
    ++counters_.syncs;
    sync_time_.add(outcome.sync_time);
    tickets_.swap(job.batch.tickets);
    job.batch.tickets.clear();
    Status result = done;
    if (outcome.reason == 0 && settled_ >= failed_to_) {
        failure_ = Code::ok;
        trouble_.clear();
    } else {
        ++counters_.sync_failures;
        if (settled_ >= failed_to_) {
            fail_all();
            failure_ = failure_of(outcome.reason).code;
            trouble_ = fmt::format("{}: writing failed: {}", path_, std::strerror(outcome.reason));
        }
        result = failure();
        kept_.add(job.batch);
    }
    job.batch.clear();
    job.answered = false;
    ++settled_;
    for (const SyncTicket ticket : tickets_) {
        synced_(ticket, result);
    }
    tickets_.clear();
}

/// Everything that is under way or asked for fails with the job that is being settled.
void FileStorage::fail_all() {
    const bool last = settled_ + 1 == handed_;
    std::vector<SyncTicket>& behind =
        last ? tickets_ : jobs_[(handed_ - 1) % jobs_max].batch.tickets;
    behind.insert(behind.end(), front_.tickets.begin(), front_.tickets.end());
    front_.tickets.clear();
    failed_to_ = handed_;
}

void FileStorage::work(int fd) {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock,
                   [this] { return !turn_ && (taken_ < queued_ || ahead_ != 0 || stopping_); });
        if (taken_ == queued_ && stopping_) {
            return;
        }
        turn_ = true;
        Job* const job = taken_ < queued_ ? &jobs_[taken_++ % jobs_max] : nullptr;
        lock.unlock();
        job != nullptr ? write_out(*job) : fill_ahead();
        lock.lock();
        turn_ = false;
        const bool more = taken_ < queued_ || ahead_ != 0 || stopping_;
        lock.unlock();
        if (more) {
            wake_.notify_one();
        }
        if (job != nullptr) {
            make_durable(*job, fd);
            boost::asio::post(loop_->io(), guard_([this, job] { answered(*job); }));
        } else {
            (void)settings_.sync_file(fd);  // a failure shows when the chunk is needed
        }
        lock.lock();
    }
}

void FileStorage::write_out(Job& job) {
    Outcome& outcome = job.outcome;
    if (std::exchange(job.again, false) && second_fd_ >= 0) {
        // The failure that was told through one descriptor waits in the other one as well.
        (void)settings_.sync_file(fd_);
        (void)settings_.sync_file(second_fd_);
    }
    outcome.bytes_written = std::exchange(ahead_bytes_, 0);
    for (const Entry& entry : job.batch.entries) {
        const std::uint64_t first = entry.at / chunk_size;
        const std::uint64_t last = (entry.at + entry.size - 1) / chunk_size;
        for (std::uint64_t chunk = first; chunk <= last && outcome.reason == 0; ++chunk) {
            outcome.reason = fill_chunk(chunk, outcome.bytes_written);
        }
        if (outcome.reason == 0) {
            outcome.reason =
                write_all(fd_, job.batch.bytes.data() + entry.offset, entry.size, entry.at);
        }
        if (outcome.reason != 0) {
            return;
        }
        outcome.bytes_written += entry.size;
        ++outcome.writes;
        if (last + 1 < filled_.size() && !filled_[last + 1]) {
            ahead_ = last + 1;
        }
    }
}

void FileStorage::make_durable(Job& job, int fd) {
    Outcome& outcome = job.outcome;
    if (outcome.reason != 0) {
        return;
    }
    const Instant before = Loop::now();
    if (settings_.sync_file(fd) != 0) {
        outcome.reason = errno;
    }
    outcome.sync_time = Loop::now() - before;
}

/// Fills the holes of a chunk with zeros and leaves everything that is data as it is: a copied
/// store may have holes where records lie beside them.
int FileStorage::fill_chunk(std::uint64_t chunk, std::uint64_t& bytes_written) {
    static constexpr std::array<std::uint8_t, 64U << 10> zeros{};
    if (filled_[chunk]) {
        return 0;
    }
    const std::uint64_t size = static_cast<std::uint64_t>(block_count_) * block_size;
    const std::uint64_t end = std::min((chunk + 1) * chunk_size, size);
    std::uint64_t at = chunk * chunk_size;
    while (at < end) {
        const off_t hole = lseek(fd_, static_cast<off_t>(at), SEEK_HOLE);
        if (hole < 0 || static_cast<std::uint64_t>(hole) >= end) {
            break;
        }
        const off_t data = lseek(fd_, hole, SEEK_DATA);
        const std::uint64_t hole_end =
            data < 0 ? end : std::min(static_cast<std::uint64_t>(data), end);
        for (at = static_cast<std::uint64_t>(hole); at < hole_end;) {
            const std::size_t part = std::min<std::uint64_t>(zeros.size(), hole_end - at);
            if (const int reason = write_all(fd_, zeros.data(), part, at); reason != 0) {
                return reason;
            }
            at += part;
            bytes_written += part;
        }
    }
    filled_[chunk] = true;
    return 0;
}

void FileStorage::fill_ahead() {
    // A failure shows when the chunk is needed; until then there is nothing to do about it.
    (void)fill_chunk(std::exchange(ahead_, 0), ahead_bytes_);
}

}  // namespace jw
