// SPDX-License-Identifier: Apache-2.0
#pragma once
// A running outbox on a simulated storage whose every change is a point to cut the power at.
#include <memory>
#include <string>

#include "tests/power_cut/trial.h"

namespace jw::power_cut {

class History {
  public:
    History(SimStorage::Shape shape,
            std::uint16_t segment_blocks,
            std::uint32_t segments,
            std::uint64_t seed);

    // Operations; each keeps the oracle up to date.
    void append(RecordClass c, std::size_t size);
    /// The oldest `count` syncs that are under way end.
    void answer(unsigned count = ~0U);
    void flush();
    void wait(Duration duration);
    /// Takes up to `count` items of the class from where the sink stands and confirms them.
    void deliver(RecordClass c, unsigned count);
    /// The process ends and starts again: all writes are still there.
    void restart();
    void cut(Persistence persistence);

    SimStorage& storage() { return storage_; }
    Outbox& outbox() { return box_->outbox; }
    Oracle& oracle() { return oracle_; }
    [[nodiscard]] bool recovering() const { return recovering_; }
    [[nodiscard]] const std::string& wrong() const { return wrong_; }
    void fail(std::string wrong);

    /// Opens what is in the trial's image and compares it with what the oracle knows.
    void try_image();
    TrialStorage& trial() { return trial_; }
    std::uint64_t cuts = 0;

  private:
    void open();
    [[nodiscard]] Oracle::Numbers released() const;

    OutboxSettings settings_;
    SimStorage storage_;
    TrialStorage trial_;
    Oracle oracle_;
    Random random_;
    std::unique_ptr<Box> box_;
    Instant now_;
    bool recovering_ = false;
    std::string wrong_;
    std::array<std::uint8_t, 4096> buffer_{};
};

}  // namespace jw::power_cut
