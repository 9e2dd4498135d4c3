// SPDX-License-Identifier: Apache-2.0
// The history's side of the loop: gathering, and handing work to one worker at a time.
#include "host/history/local_history.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace jw {
namespace {

constexpr Duration look_every = seconds(1);
constexpr Duration write_every = seconds(10);

bool is_worth_writing(const BatteryEnergy& now, const BatteryEnergy& then, std::int64_t least_wh) {
    return std::abs(now.charge_wh - then.charge_wh) +
               std::abs(now.discharge_wh - then.discharge_wh) >=
           least_wh;
}

}  // namespace

History::History(Workers& workers, HistorySettings settings, HistoryHooks hooks)
    : workers_(workers), settings_(std::move(settings)), hooks_(std::move(hooks)) {
    HistoryStoreSettings store;
    store.path = settings_.folder + "/history.db";
    store.bytes_max = std::uint64_t{settings_.size_mb} << 20;
    store.days = settings_.days;
    store_ = std::make_shared<HistoryStore>(store);
    energy_file_ = std::make_shared<EnergyFile>(settings_.folder + "/energy.store");
}

Status History::open() {
    Result<std::vector<BatteryEnergy>> found = energy_file_->read();
    JW_TRY(found);
    energies_ = *found;
    energies_written_ = std::move(*found);
    return done;
}

void History::add(const Reading& reading, std::int64_t unix_ms) {
    if (!is_on()) {
        return;
    }
    const std::int64_t start_s = cut(unix_ms / 1000, HistoryStore::fine_s);
    if (start_s != current_s_) {
        close_buckets();
        current_s_ = start_s;
    }
    auto device = devices_.find(reading.device.view());
    if (device == devices_.end()) {
        device = devices_.emplace(reading.device.view(), std::vector<Gathered>{}).first;
    }
    std::vector<Gathered>& known = device->second;
    std::size_t next = 0;
    for (const Value& value : reading.values) {
        // A device gives its values in the same order each time: the next one stands behind.
        const auto is_it = [&](const Gathered& one) {
            return one.quantity == value.quantity && one.index == value.index;
        };
        if (next >= known.size() || !is_it(known[next])) {
            next = static_cast<std::size_t>(std::ranges::find_if(known, is_it) - known.begin());
        }
        if (next == known.size()) {
            if (series_ >= settings_.series_max) {
                ++lost_;
                continue;
            }
            known.push_back({value.quantity, value.index, {}});
            ++series_;
        }
        merge(known[next++].bucket, value.number);
    }
}

void History::close_buckets() {
    for (auto& [device, values] : devices_) {
        for (Gathered& one : values) {
            if (one.bucket.count > 0) {
                HistoryRow& row = rows_.emplace_back();
                row.series = {Name(device), one.quantity, one.index};
                row.bucket = std::exchange(one.bucket, {});
                row.bucket.start_s = current_s_;
            }
        }
    }
    drop_oldest_rows();
}

void History::drop_oldest_rows() {
    if (rows_.size() > settings_.rows_max) {
        const std::size_t excess = rows_.size() - settings_.rows_max;
        rows_.erase(rows_.begin(), rows_.begin() + static_cast<std::ptrdiff_t>(excess));
        lost_ += excess;
    }
}

Instant History::step(std::optional<std::int64_t> unix_ms, Instant now) {
    if (unix_ms && current_s_ != 0) {
        if (const std::int64_t start_s = cut(*unix_ms / 1000, HistoryStore::fine_s);
            start_s != current_s_) {
            close_buckets();
            current_s_ = start_s;
        }
    }
    if (!energy_due_ && energy_due(now)) {
        energy_due_ = true;
        energy_at_ = now;
    }
    if (!rows_.empty() && now >= rows_at_) {
        rows_due_ = true;
        rows_at_ = now + write_every;
    }
    start_work();
    return now + look_every;
}

void History::flush(std::function<void()> done) {
    close_buckets();
    flushed_ = std::move(done);
    flushing_ = true;
    rows_due_ = !rows_.empty();
    energy_due_ = energies_ != energies_written_;
    start_work();
}

/// One job at a time: the file is one worker's, and nobody waits behind it but questions.
void History::start_work() {
    if (working_) {
        return;
    }
    if (energy_due_) {
        write_energy();
    } else if (rows_due_ && !rows_.empty()) {
        write_rows();
    } else if (!questions_.empty()) {
        answer_one();
    } else if (flushing_ && flushed_) {
        std::exchange(flushed_, nullptr)();
    }
}

void History::write_energy() {
    auto status = std::make_shared<Status>(done);
    auto all = std::make_shared<std::vector<BatteryEnergy>>(energies_);
    working_ = workers_
                   .run([file = energy_file_, all, status] { *status = file->write(*all); },
                        guard_,
                        [this, all, status] {
                            working_ = false;
                            energy_due_ = false;
                            if (*status) {
                                energies_written_ = std::move(*all);
                            }
                            tell(energy_failing_, *status, "the energies cannot be written");
                            start_work();
                        })
                   .has_value();
}

void History::write_rows() {
    struct Outcome {
        Status status = done;
        std::string why;
        std::string notice;
    };
    auto rows = std::make_shared<std::vector<HistoryRow>>(rows_);
    auto outcome = std::make_shared<Outcome>();
    const std::int64_t now_s = current_s_;
    const Status begun = workers_.run(
        [store = store_, rows, outcome, now_s] {
            outcome->status = store->write(*rows, now_s);
            outcome->why = store->trouble();
            outcome->notice = store->take_notice();
        },
        guard_,
        [this, outcome] { rows_written(outcome->status, outcome->why, outcome->notice); });
    if (begun) {
        working_ = true;
        writing_ = std::exchange(rows_, {});
    }
}

void History::rows_written(Status status, const std::string& why, const std::string& notice) {
    working_ = false;
    rows_due_ = false;
    if (!notice.empty()) {
        hooks_.noticed(notice);
    }
    if (status) {
        writing_.clear();
    } else {
        // What came meanwhile is newer.
        writing_.insert(writing_.end(), rows_.begin(), rows_.end());
        rows_ = std::exchange(writing_, {});
        drop_oldest_rows();
    }
    tell(rows_failing_, status, why);
    start_work();
}

void History::tell(bool& failing, Status status, const std::string& why) {
    failing = !status;
    if (failing) {
        hooks_.failed(why);
    } else if (!rows_failing_ && !energy_failing_) {
        hooks_.recovered();
    }
}

void History::query(const HistoryQuery& query, Render render, Answer answer) {
    ask(
        [query, render = std::move(render)](HistoryStore& store) -> Result<std::string> {
            const Result<HistoryAnswer> found = store.query(query);
            JW_TRY(found);
            return render(*found);
        },
        std::move(answer));
}

void History::series(RenderSeries render, Answer answer) {
    ask(
        [render = std::move(render)](HistoryStore& store) -> Result<std::string> {
            const Result<std::vector<HistorySeries>> found = store.series();
            JW_TRY(found);
            return render(*found);
        },
        std::move(answer));
}

void History::ask(std::function<Result<std::string>(HistoryStore&)> question, Answer answer) {
    if (!is_on()) {
        answer(JW_FAIL(unsupported));
    } else if (questions_.size() >= questions_max) {
        answer(JW_FAIL(busy));
    } else {
        questions_.push_back({std::move(question), std::move(answer)});
        start_work();
    }
}

void History::answer_one() {
    struct Outcome {
        Result<std::string> text = std::string();
        std::string notice;
    };
    auto outcome = std::make_shared<Outcome>();
    auto answer = std::make_shared<Answer>(questions_.front().answer);
    const Status begun = workers_.run(
        [store = store_, ask = questions_.front().ask, outcome] {
            outcome->text = ask(*store);
            outcome->notice = store->take_notice();
        },
        guard_,
        [this, outcome, answer] {
            working_ = false;
            if (!outcome->notice.empty()) {
                hooks_.noticed(outcome->notice);
            }
            (*answer)(std::move(outcome->text));
            start_work();
        });
    if (begun) {
        working_ = true;
        questions_.pop_front();
    }
}

BatteryEnergy History::energy(std::string_view battery) const {
    const auto known = std::ranges::find_if(
        energies_, [&](const BatteryEnergy& one) { return one.battery == battery; });
    return known == energies_.end() ? BatteryEnergy{Name(battery), 0, 0} : *known;
}

void History::put_energy(const BatteryEnergy& energy) {
    for (BatteryEnergy& one : energies_) {
        if (one.battery == energy.battery.view()) {
            one = energy;
            return;
        }
    }
    if (energies_.size() < EnergyFile::batteries_max) {
        energies_.push_back(energy);
    }
}

bool History::energy_due(Instant now) const {
    if (now - energy_at_ < settings_.energy_least) {
        return false;
    }
    for (std::size_t i = 0; i < energies_.size(); ++i) {
        const BatteryEnergy then =
            i < energies_written_.size() ? energies_written_[i] : BatteryEnergy{};
        if (is_worth_writing(energies_[i], then, energy_step_wh)) {
            return true;
        }
    }
    return false;
}

}  // namespace jw
