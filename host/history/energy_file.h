// SPDX-License-Identifier: Apache-2.0
#pragma once
// EnergyFile: what batteries took and gave since they are counted, on disk in two halves that take
// turns, so that a power cut leaves one of them whole (docs/formats/history.md).
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/model/reading.h"

namespace jw {

/// Energy through the terminals of one battery, in Wh.
struct BatteryEnergy {
    Name battery;
    std::int64_t charge_wh = 0;
    std::int64_t discharge_wh = 0;
    friend bool operator==(const BatteryEnergy&, const BatteryEnergy&) = default;
};

/// One thread at a time.
class EnergyFile {
  public:
    static constexpr std::size_t half_size = 4096;
    static constexpr std::size_t batteries_max = 64;

    explicit EnergyFile(std::string path) : path_(std::move(path)) {}

    /// What the newest whole half has; nothing where there is no file yet. Errors: bad_checksum (no
    /// half is whole), unsupported (of a newer program: it is then left alone), internal (it cannot
    /// be read).
    Result<std::vector<BatteryEnergy>> read();
    /// Replaces the older half, durably. Errors: out_of_range (more than batteries_max), denied
    /// (of a newer program), internal (the disk did not take it: the newer half still stands).
    Status write(std::span<const BatteryEnergy> all);
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
    std::uint64_t sequence_ = 0;  // of the newest whole half; the next one goes to the other half
    bool foreign_ = false;
};

}  // namespace jw
