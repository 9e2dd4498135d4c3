// SPDX-License-Identifier: Apache-2.0
#pragma once
// History: what a gateway remembers of all values of all devices, and the energy of its batteries.
// Buckets are gathered in memory; workers write them and answer questions.
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "host/guard.h"
#include "host/history/energy_file.h"
#include "host/history/history_store.h"
#include "host/workers.h"

namespace jw {

struct HistorySettings {
    std::string folder;
    std::uint32_t size_mb = 64;  // 0: nothing is kept but energy
    std::uint32_t days = 30;
    std::size_t series_max = 8192;
    std::size_t rows_max = 32'768;  // that wait while the disk takes none; the oldest go first
    Duration energy_least = seconds(60);  // between two writes of the energies
};

/// What the history has to say of itself; each is set.
struct HistoryHooks {
    std::function<void(const std::string& why)> failed;  // the disk took nothing, each time
    std::function<void()> recovered;                     // it took everything, each time
    std::function<void(const std::string& text)> noticed;
};

/// Lives on the loop. Only open() waits for the disk.
class History {
  public:
    static constexpr std::int64_t energy_step_wh = 10;  // less is not worth a write
    static constexpr std::size_t questions_max = 16;    // that wait

    using Render = std::function<std::string(const HistoryAnswer&)>;
    using RenderSeries = std::function<std::string(const std::vector<HistorySeries>&)>;
    /// Errors: busy (too many ask), unsupported (switched off), and those of HistoryStore.
    using Answer = std::function<void(Result<std::string>)>;

    /// Loop and workers outlive it.
    History(Workers& workers, HistorySettings settings, HistoryHooks hooks);
    History(const History&) = delete;
    History& operator=(const History&) = delete;

    /// Reads the energies. Errors: as EnergyFile::read(); the energies then begin anew.
    Status open();

    /// Takes a reading in. `unix_ms` is the wall time: without one there is nothing to keep.
    void add(const Reading& reading, std::int64_t unix_ms);
    /// Writes what is over and due. Returns when to call again.
    Instant step(std::optional<std::int64_t> unix_ms, Instant now);
    /// Writes all that was gathered, then calls `done`: at once where there is nothing.
    void flush(std::function<void()> done);

    /// Answers later, on the loop, with what `render` made of it on a worker.
    void query(const HistoryQuery& query, Render render, Answer answer);
    void series(RenderSeries render, Answer answer);

    /// What a battery took and gave so far; zeros where it is not known.
    [[nodiscard]] BatteryEnergy energy(std::string_view battery) const;
    /// What it took and gave now; written at most once a minute, and once 10 Wh have come.
    void put_energy(const BatteryEnergy& energy);

    [[nodiscard]] bool is_on() const { return settings_.size_mb > 0; }
    /// Buckets that were lost since no disk took them, and values that had no place.
    [[nodiscard]] std::uint64_t lost() const { return lost_; }

  private:
    struct Gathered {
        Quantity quantity = Quantity::none;
        std::uint8_t index = 0;
        Bucket bucket;
    };
    struct Question {
        std::function<Result<std::string>(HistoryStore&)> ask;
        Answer answer;
    };
    void close_buckets();
    void start_work();
    void write_energy();
    void write_rows();
    void answer_one();
    void rows_written(Status status, const std::string& why, const std::string& notice);
    void ask(std::function<Result<std::string>(HistoryStore&)> question, Answer answer);
    void drop_oldest_rows();
    void tell(bool& failing, Status status, const std::string& why);
    [[nodiscard]] bool energy_due(Instant now) const;

    Workers& workers_;
    HistorySettings settings_;
    HistoryHooks hooks_;
    std::shared_ptr<HistoryStore> store_;  // of the worker while working_
    std::shared_ptr<EnergyFile> energy_file_;
    std::map<std::string, std::vector<Gathered>, std::less<>> devices_;
    std::size_t series_ = 0;
    std::int64_t current_s_ = 0;  // the bucket that is being gathered
    std::vector<HistoryRow> rows_;
    std::vector<HistoryRow> writing_;
    std::deque<Question> questions_;
    std::vector<BatteryEnergy> energies_;
    std::vector<BatteryEnergy> energies_written_;
    Instant energy_at_{-1'000'000'000'000};
    Instant rows_at_;
    bool working_ = false;
    bool rows_due_ = false;
    bool energy_due_ = false;
    bool flushing_ = false;
    bool energy_failing_ = false;
    bool rows_failing_ = false;
    std::uint64_t lost_ = 0;
    std::function<void()> flushed_;
    Guard guard_;
};

}  // namespace jw
