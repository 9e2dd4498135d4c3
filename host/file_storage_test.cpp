// SPDX-License-Identifier: Apache-2.0
// FileStorage: what is written is read, what is synced is durable, and what fails is told.
#include "host/file_storage.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <semaphore>
#include <string>
#include <vector>

#include "core/base/crc.h"
#include "host/crc32c.h"
#include "host/fakes.h"

namespace jw {
namespace {

constexpr std::uint64_t mib = 1U << 20;

std::string text_at(FileStorage& storage, std::uint64_t at, std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    const Status status = storage.read(at, bytes);
    return status ? std::string(as_text(bytes)) : code_name(status.code());
}

class FileStorageTest : public ::testing::Test {
  protected:
    FileStorageSettings settings() {
        return {.directory = folder_.path(), .bytes_max = 4 * mib, .queue_bytes_max = 64 << 10};
    }
    std::unique_ptr<FileStorage> make(Loop* loop, FileStorageSettings wanted) {
        return std::make_unique<FileStorage>(
            loop, std::move(wanted), [this](SyncTicket ticket, Status result) {
                answers_.push_back({ticket, result.code()});
            });
    }
    bool until_answers(std::size_t count) {
        return loop_.run_until([&] { return answers_.size() >= count; }, seconds(30));
    }
    std::uint64_t disk_bytes() {
        struct stat status {};
        EXPECT_EQ(stat((folder_.path() + "/outbox.store").c_str(), &status), 0);
        return static_cast<std::uint64_t>(status.st_blocks) * 512;
    }

    struct Answer {
        SyncTicket ticket;
        Code code;
        bool operator==(const Answer&) const = default;
    };
    test::TempFolder folder_;
    Loop loop_;
    std::vector<Answer> answers_;
};

TEST_F(FileStorageTest, reads_what_was_written_before_and_after_the_sync_and_after_a_restart) {
    {
        const auto storage = make(&loop_, settings());
        ASSERT_TRUE(storage->open()) << storage->trouble();
        EXPECT_EQ(storage->block_count(), 1024U);
        ASSERT_TRUE(storage->write(100, as_bytes("hello")));
        ASSERT_TRUE(storage->write(105, as_bytes(" world")));
        ASSERT_TRUE(storage->write(102, as_bytes("LL")));
        EXPECT_EQ(text_at(*storage, 100, 11), "heLLo world");
        storage->sync(1);
        EXPECT_EQ(text_at(*storage, 101, 4), "eLLo");
        ASSERT_TRUE(until_answers(1));
        EXPECT_EQ(answers_[0], (Answer{1, Code::ok}));
        EXPECT_EQ(text_at(*storage, 100, 11), "heLLo world");
    }
    const auto storage = make(nullptr, settings());
    ASSERT_TRUE(storage->open());
    EXPECT_EQ(text_at(*storage, 100, 11), "heLLo world");
    EXPECT_EQ(text_at(*storage, 4 * mib - 1, 1), std::string(1, '\0'));
}

TEST_F(FileStorageTest, answers_in_the_same_call_without_a_loop) {
    const auto storage = make(nullptr, settings());
    ASSERT_TRUE(storage->open());
    ASSERT_TRUE(storage->write(0, as_bytes("x")));
    storage->sync(7);
    EXPECT_EQ(answers_, (std::vector<Answer>{{7, Code::ok}}));
}

TEST_F(FileStorageTest, answers_a_sync_that_is_asked_for_within_an_answer) {
    std::vector<SyncTicket> tickets;
    FileStorage* asked = nullptr;
    FileStorage storage(nullptr, settings(), [&](SyncTicket ticket, Status) {
        tickets.push_back(ticket);
        if (ticket < 3) {
            asked->sync(ticket + 1);
        }
    });
    asked = &storage;
    ASSERT_TRUE(storage.open());
    storage.sync(1);
    EXPECT_EQ(tickets, (std::vector<SyncTicket>{1, 2, 3}));
}

TEST_F(FileStorageTest, answers_tickets_in_order_with_few_syncs) {
    std::counting_semaphore<50> gate(0);
    FileStorageSettings slow = settings();
    slow.sync_file = [&](int fd) {
        gate.acquire();
        return fdatasync(fd);
    };
    const auto storage = make(&loop_, slow);
    ASSERT_TRUE(storage->open());
    for (SyncTicket ticket = 1; ticket <= 50; ++ticket) {
        ASSERT_TRUE(storage->write(ticket * 10ULL, as_bytes("0123456789")));
        storage->sync(ticket);
    }
    gate.release(50);
    ASSERT_TRUE(until_answers(50));
    for (SyncTicket ticket = 1; ticket <= 50; ++ticket) {
        EXPECT_EQ(answers_[ticket - 1], (Answer{ticket, Code::ok}));
    }
    // Three were on their way when the rest came, which made one.
    EXPECT_EQ(storage->counters().syncs, 4U);
    EXPECT_EQ(storage->counters().writes, 4U);  // adjacent writes became one
    EXPECT_EQ(storage->sync_time().count(), 4U);
}

TEST_F(FileStorageTest, writes_the_next_batch_while_the_medium_takes_its_time_with_one) {
    std::counting_semaphore<50> gate(0);
    std::atomic<int> under_way = 0;
    FileStorageSettings slow = settings();
    slow.bytes_max = mib;  // nothing is filled ahead
    slow.sync_file = [&](int fd) {
        ++under_way;
        gate.acquire();
        return fdatasync(fd);
    };
    const auto storage = make(&loop_, slow);
    ASSERT_TRUE(storage->open());
    for (const SyncTicket ticket : {1U, 2U, 3U}) {
        ASSERT_TRUE(storage->write(ticket * 10ULL, as_bytes(std::to_string(ticket))));
        storage->sync(ticket);
    }
    loop_.use_step([](Instant now) { return now + milliseconds(1); });
    EXPECT_TRUE(loop_.run_until([&] { return under_way == 2; }, seconds(30)));
    const int fd = ::open(storage->path().c_str(), O_RDONLY | O_CLOEXEC);
    char byte = 0;
    EXPECT_EQ(pread(fd, &byte, 1, 20), 1);
    EXPECT_EQ(byte, '2');
    EXPECT_TRUE(answers_.empty());
    // What is read is the latest, wherever it is just now.
    ASSERT_TRUE(storage->write(20, as_bytes("x")));
    EXPECT_EQ(text_at(*storage, 20, 1), "x");
    EXPECT_EQ(text_at(*storage, 30, 1), "3");
    close(fd);
    gate.release(50);
    ASSERT_TRUE(until_answers(3));
    EXPECT_EQ(answers_, (std::vector<Answer>{{1, Code::ok}, {2, Code::ok}, {3, Code::ok}}));
}

TEST_F(FileStorageTest, fails_those_behind_a_failed_sync_and_writes_all_of_them_again) {
    std::counting_semaphore<50> gate(0);
    std::atomic<int> calls = 0;
    FileStorageSettings failing = settings();
    failing.bytes_max = mib;  // nothing is filled ahead
    failing.sync_file = [&](int fd) {
        const int call = calls++;
        gate.acquire();
        if (call == 0) {
            errno = EIO;
            return -1;
        }
        return fdatasync(fd);
    };
    const auto storage = make(&loop_, failing);
    ASSERT_TRUE(storage->open());
    ASSERT_TRUE(storage->write(0, as_bytes("first")));
    storage->sync(1);
    loop_.use_step([](Instant now) { return now + milliseconds(1); });
    ASSERT_TRUE(loop_.run_until([&] { return calls == 1; }, seconds(30)));
    ASSERT_TRUE(storage->write(3, as_bytes("second")));
    storage->sync(2);
    gate.release(50);
    ASSERT_TRUE(until_answers(2));
    EXPECT_EQ(answers_, (std::vector<Answer>{{1, Code::internal}, {2, Code::internal}}));
    EXPECT_EQ(text_at(*storage, 0, 9), "firsecond");
    const std::uint64_t before = storage->counters().bytes_written;
    storage->sync(3);
    ASSERT_TRUE(until_answers(3));
    EXPECT_EQ(answers_[2], (Answer{3, Code::ok}));
    EXPECT_EQ(storage->counters().bytes_written - before, 11U);  // both, in their order
    EXPECT_EQ(text_at(*storage, 0, 9), "firsecond");
}

TEST_F(FileStorageTest, fails_the_syncs_that_wait_behind_a_failed_one_too) {
    std::counting_semaphore<50> gate(0);
    std::atomic<bool> fails = true;
    FileStorageSettings failing = settings();
    failing.sync_file = [&](int fd) {
        gate.acquire();
        if (fails.exchange(false)) {
            errno = EIO;
            return -1;
        }
        return fdatasync(fd);
    };
    const auto storage = make(&loop_, failing);
    ASSERT_TRUE(storage->open());
    for (SyncTicket ticket = 1; ticket <= 6; ++ticket) {  // more than are under way at once
        ASSERT_TRUE(storage->write(ticket * 10ULL, as_bytes("0123456789")));
        storage->sync(ticket);
    }
    gate.release(50);
    ASSERT_TRUE(until_answers(6));
    // Whichever of the two at work failed, nothing behind it passed.
    const auto first = std::ranges::find(answers_, Code::internal, &Answer::code);
    ASSERT_TRUE(first == answers_.begin() || first == answers_.begin() + 1);
    EXPECT_TRUE(std::all_of(
        first, answers_.end(), [](const Answer& one) { return one.code == Code::internal; }));
    storage->sync(7);
    ASSERT_TRUE(until_answers(7));
    EXPECT_EQ(answers_[6], (Answer{7, Code::ok}));
}

TEST_F(FileStorageTest, does_not_hold_the_loop_up_while_the_medium_takes_200_ms) {
    std::binary_semaphore nobody(0);
    FileStorageSettings slow = settings();
    slow.sync_file = [&](int fd) {
        (void)nobody.try_acquire_for(std::chrono::milliseconds(200));
        return fdatasync(fd);
    };
    const auto storage = make(&loop_, slow);
    ASSERT_TRUE(storage->open());
    ASSERT_TRUE(storage->write(0, as_bytes("x")));
    loop_.forget_stalls();
    const Instant before = Loop::now();
    storage->sync(1);
    EXPECT_LT(Loop::now() - before, milliseconds(100));
    ASSERT_TRUE(until_answers(1));
    EXPECT_LT(loop_.stall().max(), milliseconds(100));
    EXPECT_GE(storage->sync_time().max(), milliseconds(200));
}

TEST_F(FileStorageTest, bounds_what_waits_and_says_busy) {
    std::counting_semaphore<50> gate(0);
    FileStorageSettings slow = settings();
    slow.sync_file = [&](int fd) {
        gate.acquire();
        return fdatasync(fd);
    };
    const auto storage = make(&loop_, slow);
    ASSERT_TRUE(storage->open());
    const std::string block(4096, 'b');
    std::uint64_t written = 0;
    Code last = Code::ok;
    while (last == Code::ok && written < mib) {
        last = storage->write(written, as_bytes(block)).code();
        written += block.size();
    }
    EXPECT_EQ(last, Code::busy);
    EXPECT_LE(written, (64U << 10) + 4096);
    gate.release(50);
    storage->sync(1);
    ASSERT_TRUE(until_answers(1));
    EXPECT_TRUE(storage->write(0, as_bytes(block)));
}

TEST_F(FileStorageTest, keeps_what_a_failed_sync_concerned_and_writes_it_with_the_next) {
    int fails = 2;
    FileStorageSettings failing = settings();
    failing.sync_file = [&](int fd) {
        if (fails > 0) {
            --fails;
            errno = EIO;
            return -1;
        }
        return fdatasync(fd);
    };
    const auto storage = make(nullptr, failing);
    ASSERT_TRUE(storage->open());
    ASSERT_TRUE(storage->write(0, as_bytes("first")));
    storage->sync(1);
    ASSERT_TRUE(storage->write(5, as_bytes("second")));
    storage->sync(2);
    EXPECT_EQ(text_at(*storage, 0, 11), "firstsecond");
    EXPECT_NE(storage->trouble().find("outbox.store"), std::string::npos);
    const std::uint64_t before = storage->counters().bytes_written;
    storage->sync(3);
    EXPECT_EQ(answers_,
              (std::vector<Answer>{{1, Code::internal}, {2, Code::internal}, {3, Code::ok}}));
    EXPECT_EQ(storage->counters().bytes_written - before, 11U);
    EXPECT_EQ(storage->counters().sync_failures, 2U);
    EXPECT_EQ(storage->trouble(), "");
}

TEST_F(FileStorageTest, says_why_it_takes_no_more_while_the_medium_fails) {
    for (const auto& [reason, code] : std::vector<std::pair<int, Code>>{
             {ENOSPC, Code::full}, {EROFS, Code::denied}, {EIO, Code::internal}}) {
        test::TempFolder folder;
        bool fails = true;
        FileStorageSettings failing = settings();
        failing.directory = folder.path();
        failing.sync_file = [&, wanted = reason](int) {
            errno = wanted;
            return fails ? -1 : 0;
        };
        answers_.clear();
        const auto storage = make(nullptr, failing);
        ASSERT_TRUE(storage->open());
        const std::string block(4096, 'b');
        ASSERT_TRUE(storage->write(0, as_bytes(block)));
        storage->sync(1);
        EXPECT_EQ(answers_.back(), (Answer{1, code}));
        Code last = Code::ok;
        for (std::uint64_t i = 1; i < 64 && last == Code::ok; ++i) {
            last = storage->write(i * 4096, as_bytes(block)).code();
        }
        EXPECT_EQ(last, code);
        fails = false;
        storage->sync(2);
        EXPECT_EQ(answers_.back(), (Answer{2, Code::ok}));
        EXPECT_TRUE(storage->write(0, as_bytes(block)));
    }
}

TEST_F(FileStorageTest, fills_a_chunk_with_zeros_before_its_first_use_and_the_next_one_ahead) {
    const auto storage = make(&loop_, settings());
    ASSERT_TRUE(storage->open());
    EXPECT_LT(disk_bytes(), mib);
    ASSERT_TRUE(storage->write(10, as_bytes("x")));
    storage->sync(1);
    ASSERT_TRUE(until_answers(1));
    EXPECT_GE(disk_bytes(), mib);
    loop_.use_step([](Instant now) { return now + milliseconds(1); });
    EXPECT_TRUE(loop_.run_until([&] { return disk_bytes() >= 2 * mib; }, seconds(20)));
    EXPECT_LT(disk_bytes(), 3 * mib);
}

TEST_F(FileStorageTest, fills_holes_beside_data_without_touching_the_data) {
    { ASSERT_TRUE(make(nullptr, settings())->open()); }
    const std::string path = folder_.path() + "/outbox.store";
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_EQ(pwrite(fd, "kept", 4, 300'000), 4);
    close(fd);
    const auto storage = make(nullptr, settings());
    ASSERT_TRUE(storage->open());
    ASSERT_TRUE(storage->write(0, as_bytes("new")));
    storage->sync(1);
    EXPECT_EQ(text_at(*storage, 300'000, 4), "kept");
    EXPECT_GE(disk_bytes(), mib);
}

TEST_F(FileStorageTest, knows_the_hole_behind_the_data_without_reading_it) {
    {
        const auto storage = make(nullptr, settings());
        ASSERT_TRUE(storage->open());
        ASSERT_TRUE(storage->write(0, as_bytes("first")));
        storage->sync(1);
    }
    const auto storage = make(nullptr, settings());
    ASSERT_TRUE(storage->open());
    // Whoever asks the file itself now fails.
    ASSERT_EQ(truncate((folder_.path() + "/outbox.store").c_str(), mib), 0);
    EXPECT_EQ(text_at(*storage, 0, 5), "first");
    EXPECT_EQ(text_at(*storage, 2 * mib, 4), std::string(4, '\0'));
    ASSERT_TRUE(storage->write(3 * mib, as_bytes("last")));
    EXPECT_EQ(text_at(*storage, 3 * mib, 4), code_name(Code::internal));
}

TEST_F(FileStorageTest, a_copy_was_born_later) {
    const std::string path = folder_.path() + "/outbox.store";
    std::uint64_t born_ns = 0;
    {
        const auto storage = make(nullptr, settings());
        ASSERT_TRUE(storage->open());
        born_ns = storage->born_ns();
    }
    if (born_ns == 0) {
        GTEST_SKIP() << "this file system does not say when a file was made";
    }
    {
        const auto storage = make(nullptr, settings());
        ASSERT_TRUE(storage->open());
        EXPECT_EQ(storage->born_ns(), born_ns);
    }
    std::filesystem::copy(path, path + ".backup");
    std::filesystem::rename(path + ".backup", path);
    const auto storage = make(nullptr, settings());
    ASSERT_TRUE(storage->open());
    EXPECT_GT(storage->born_ns(), born_ns);
}

TEST_F(FileStorageTest, belongs_to_one_process_only) {
    const auto first = make(nullptr, settings());
    ASSERT_TRUE(first->open());
    const auto second = make(nullptr, settings());
    EXPECT_EQ(second->open().code(), Code::busy);
    EXPECT_NE(second->trouble().find("in use by another process"), std::string::npos);
}

TEST_F(FileStorageTest, says_in_words_where_it_cannot_be_opened) {
    FileStorageSettings nowhere = settings();
    nowhere.directory = folder_.path() + "/no/where";
    const auto storage = make(nullptr, nowhere);
    EXPECT_EQ(storage->open().code(), Code::not_found);
    EXPECT_NE(storage->trouble().find(nowhere.directory), std::string::npos);
}

TEST_F(FileStorageTest, keeps_a_longer_file_and_lengthens_a_shorter_one) {
    { ASSERT_TRUE(make(nullptr, settings())->open()); }
    FileStorageSettings smaller = settings();
    smaller.bytes_max = 2 * mib;
    {
        const auto storage = make(nullptr, smaller);
        ASSERT_TRUE(storage->open());
        EXPECT_EQ(storage->block_count(), 1024U);
    }
    ASSERT_EQ(truncate((folder_.path() + "/outbox.store").c_str(), 12'345), 0);
    const auto storage = make(nullptr, settings());
    ASSERT_TRUE(storage->open());
    EXPECT_EQ(storage->block_count(), 1024U);
    EXPECT_EQ(text_at(*storage, 4 * mib - 2, 2), std::string(2, '\0'));
}

TEST_F(FileStorageTest, refuses_places_outside_the_file) {
    const auto storage = make(nullptr, settings());
    ASSERT_TRUE(storage->open());
    std::vector<std::uint8_t> out(2);
    EXPECT_EQ(storage->read(4 * mib - 1, out).code(), Code::out_of_range);
    EXPECT_EQ(storage->read(UINT64_MAX, out).code(), Code::out_of_range);
    EXPECT_EQ(storage->write(4 * mib - 1, as_bytes("xy")).code(), Code::out_of_range);
    EXPECT_EQ(storage->erase(1024).code(), Code::out_of_range);
    EXPECT_TRUE(storage->erase(1023));
}

TEST_F(FileStorageTest, writes_what_waits_when_it_goes_away) {
    {
        const auto storage = make(&loop_, settings());
        ASSERT_TRUE(storage->open());
        ASSERT_TRUE(storage->write(0, as_bytes("last words")));
    }
    const auto storage = make(nullptr, settings());
    ASSERT_TRUE(storage->open());
    EXPECT_EQ(text_at(*storage, 0, 10), "last words");
}

TEST(crc32c, of_the_processor_equals_the_portable_one) {
    if (!use_hardware_crc32c()) {
        GTEST_SKIP() << "this processor has no CRC-32C instruction";
    }
    EXPECT_EQ(crc32c(as_bytes("123456789")), 0xE3069283U);  // RFC 3720, the usual check value
    std::vector<std::uint8_t> bytes(1000);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::uint8_t>(i * 31 + (i >> 3));
    }
    for (std::size_t from = 0; from < 9; ++from) {
        for (const std::size_t size : {0U, 1U, 7U, 8U, 9U, 63U, 64U, 900U}) {
            const Bytes part = Bytes(bytes).subspan(from, size);
            EXPECT_EQ(crc32c(part), crc32c_portable(part));
            EXPECT_EQ(crc32c(part, 0x12345678), crc32c_portable(part, 0x12345678));
        }
    }
}

}  // namespace
}  // namespace jw
