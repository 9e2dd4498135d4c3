// SPDX-License-Identifier: Apache-2.0
#include "benches/engines.h"

#include <rocksdb/c.h>
#include <sqlite3.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>

#include "benches/disk.h"
#include "benches/report.h"
#include "benches/store.h"
#include "core/base/crc.h"

namespace jw::bench {
namespace {

class OutboxEngine final : public Engine {
  public:
    // The window is over as soon as the batch is appended: one sync a batch.
    OutboxEngine(const std::string& folder, std::uint64_t bytes, Ahead ahead)
        : ahead_(ahead), store_(&loop_, {folder, bytes, window}, [this] { loop_.stop(); }) {
        if (!store_.storage().prewrite(bytes)) {
            give_up("the store cannot be written beforehand");
        }
    }

    void append(std::span<const Bytes> records) override {
        const Instant now = Loop::now();
        Outbox& outbox = store_.outbox();
        for (const Bytes& record : records) {
            while (!store_.append(record, now)) {
                (void)outbox.step(now + window);
                loop_.run();  // until a sync was answered
            }
        }
        (void)outbox.step(now + window);
        batches_[batch_++ % batches_ahead] = outbox.appended_to(RecordClass::telemetry);
        // Of those that are ahead, the slot that is used next holds the oldest.
        wait_for(ahead_ == Ahead::yes ? batches_[batch_ % batches_ahead]
                                      : outbox.appended_to(RecordClass::telemetry));
        outbox.confirm(0, RecordClass::telemetry, store_.accepted(), now);
    }
    void finish() override { wait_for(store_.outbox().appended_to(RecordClass::telemetry)); }

  private:
    static constexpr Duration window = microseconds(1);
    static constexpr std::size_t batches_ahead = 3;  // appended and not accepted yet, at most

    void wait_for(std::uint64_t accepted) {
        while (store_.accepted() < accepted) {
            loop_.run();  // until a sync was answered
        }
    }

    Ahead ahead_;
    std::array<std::uint64_t, batches_ahead> batches_{};  // where the last ones ended
    std::size_t batch_ = 0;
    Loop loop_;
    // Asio would not run again after a run that left nothing to do.
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
        loop_.io().get_executor()};
    Store store_;
};

class PlainLog final : public Engine {
  public:
    PlainLog(const std::string& folder, std::uint64_t bytes) : file_(folder + "/log", bytes) {}

    void append(std::span<const Bytes> records) override {
        batch_.clear();
        for (const Bytes& record : records) {
            std::array<std::uint8_t, 8> head{};
            Writer(head).u32_le(static_cast<std::uint32_t>(record.size())).u32_le(crc32c(record));
            batch_.insert(batch_.end(), head.begin(), head.end());
            batch_.insert(batch_.end(), record.begin(), record.end());
        }
        file_.append(batch_);
    }

  private:
    PrewrittenFile file_;
    std::vector<std::uint8_t> batch_;
};

class Sqlite final : public Engine {
  public:
    explicit Sqlite(const std::string& folder) {
        must(sqlite3_open((folder + "/sqlite.db").c_str(), &db_));
        must(sqlite3_exec(db_,
                          "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                          "CREATE TABLE records(seq INTEGER PRIMARY KEY, payload BLOB)",
                          nullptr,
                          nullptr,
                          nullptr));
        must(sqlite3_prepare_v2(db_, "BEGIN", -1, &begin_, nullptr));
        must(sqlite3_prepare_v2(db_, "COMMIT", -1, &commit_, nullptr));
        must(sqlite3_prepare_v2(
            db_, "INSERT INTO records(payload) VALUES(?)", -1, &insert_, nullptr));
    }
    Sqlite(const Sqlite&) = delete;
    Sqlite& operator=(const Sqlite&) = delete;
    ~Sqlite() override {
        for (sqlite3_stmt* statement : {begin_, commit_, insert_}) {
            sqlite3_finalize(statement);
        }
        sqlite3_close(db_);
    }

    void append(std::span<const Bytes> records) override {
        run(begin_);
        for (const Bytes& record : records) {
            must(sqlite3_bind_blob(
                insert_, 1, record.data(), static_cast<int>(record.size()), SQLITE_STATIC));
            run(insert_);
        }
        run(commit_);
    }

  private:
    void run(sqlite3_stmt* statement) {
        if (sqlite3_step(statement) != SQLITE_DONE) {
            give_up(std::string("sqlite: ") + sqlite3_errmsg(db_));
        }
        must(sqlite3_reset(statement));
    }
    void must(int code) {
        if (code != SQLITE_OK) {
            give_up(std::string("sqlite: ") + sqlite3_errmsg(db_));
        }
    }

    sqlite3* db_ = nullptr;
    sqlite3_stmt* begin_ = nullptr;
    sqlite3_stmt* commit_ = nullptr;
    sqlite3_stmt* insert_ = nullptr;
};

class RocksDb final : public Engine {
  public:
    explicit RocksDb(const std::string& folder) {
        rocksdb_options_set_create_if_missing(options_, 1);
        rocksdb_writeoptions_set_sync(synced_, 1);
        char* error = nullptr;
        db_ = rocksdb_open(options_, (folder + "/rocksdb").c_str(), &error);
        check(error);
    }
    RocksDb(const RocksDb&) = delete;
    RocksDb& operator=(const RocksDb&) = delete;
    ~RocksDb() override {
        rocksdb_close(db_);
        rocksdb_writebatch_destroy(batch_);
        rocksdb_writeoptions_destroy(synced_);
        rocksdb_options_destroy(options_);
    }

    void append(std::span<const Bytes> records) override {
        rocksdb_writebatch_clear(batch_);
        for (const Bytes& record : records) {
            std::array<std::uint8_t, 8> key{};
            Writer(key).u32_be(static_cast<std::uint32_t>(seq_ >> 32));
            Writer(MutableBytes(key).subspan(4)).u32_be(static_cast<std::uint32_t>(seq_));
            ++seq_;
            rocksdb_writebatch_put(batch_,
                                   reinterpret_cast<const char*>(key.data()),
                                   key.size(),
                                   reinterpret_cast<const char*>(record.data()),
                                   record.size());
        }
        char* error = nullptr;
        rocksdb_write(db_, synced_, batch_, &error);
        check(error);
    }

  private:
    static void check(const char* error) {
        if (error != nullptr) {
            give_up(std::string("rocksdb: ") + error);
        }
    }

    rocksdb_options_t* options_ = rocksdb_options_create();
    rocksdb_writeoptions_t* synced_ = rocksdb_writeoptions_create();
    rocksdb_writebatch_t* batch_ = rocksdb_writebatch_create();
    rocksdb_t* db_ = nullptr;
    std::uint64_t seq_ = 0;
};

}  // namespace

std::unique_ptr<Engine> outbox_engine(const std::string& folder, std::uint64_t bytes, Ahead ahead) {
    return std::make_unique<OutboxEngine>(folder, bytes, ahead);
}

std::unique_ptr<Engine> plain_log_engine(const std::string& folder, std::uint64_t bytes) {
    return std::make_unique<PlainLog>(folder, bytes);
}

std::unique_ptr<Engine> sqlite_engine(const std::string& folder) {
    return std::make_unique<Sqlite>(folder);
}

std::unique_ptr<Engine> rocksdb_engine(const std::string& folder) {
    return std::make_unique<RocksDb>(folder);
}

}  // namespace jw::bench
