// SPDX-License-Identifier: Apache-2.0
#pragma once
// Drivers that are loaded at run time: a file like those of devices/ becomes a register map, and
// passes the same validate() as those that are compiled in. docs/formats/devices.md.
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/device/device.h"
#include "core/device/registers/register_map.h"

namespace jw {

/// A loaded description; its parts point to each other, so it stays where it was made. Whoever
/// makes a device of `driver` sets DeviceSettings::map to `map`, and keeps this while it lives.
class DeviceDescription {
  public:
    DeviceDescription() = default;
    DeviceDescription(const DeviceDescription&) = delete;
    DeviceDescription& operator=(const DeviceDescription&) = delete;

    std::string title;
    registers::RegisterMap map;
    Driver driver{};

  private:
    friend class DescriptionReader;
    std::string name_;
    std::deque<std::string> texts_;  // of the identity
    std::vector<registers::Block> blocks_;
    std::vector<registers::Row> rows_;
    std::deque<std::vector<std::uint64_t>> absents_;
    std::vector<Capability> capabilities_;
};

/// One thing that is wrong with a description.
struct DescriptionError {
    std::string file;
    std::string pointer;  // RFC 6901: "/rows/3/divide"; empty: the file as a whole
    std::string found;    // what stands there, shortened; where no JSON: with line and column
    std::string reason;

    /// One line for people: `meter.json: /rows/3/divide: 0: must be …`.
    [[nodiscard]] std::string text() const;
};

/// A description, or everything that is wrong with it; exactly one of the two is there.
struct DescriptionOutcome {
    std::unique_ptr<DeviceDescription> description;
    std::vector<DescriptionError> errors;
};

inline constexpr std::size_t description_size_max = std::size_t{1} << 20;

/// `file` is for messages, and its stem must be the name of the driver.
DescriptionOutcome parse_description(std::string_view text, const std::filesystem::path& file);
DescriptionOutcome load_description(const std::filesystem::path& file);

}  // namespace jw
