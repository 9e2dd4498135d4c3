// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the disk itself does: a file that is written beforehand, and how long its fdatasync takes.
#include <cstdint>
#include <string>
#include <vector>

#include "benches/report.h"
#include "core/base/bytes.h"

namespace jw::bench {

/// A file whose blocks are all written (not merely reserved), so that a later fdatasync is a matter
/// of data alone.
class PrewrittenFile {
  public:
    PrewrittenFile(const std::string& path, std::uint64_t size);
    PrewrittenFile(const PrewrittenFile&) = delete;
    PrewrittenFile& operator=(const PrewrittenFile&) = delete;
    ~PrewrittenFile();

    /// Writes behind what was written last, again from the beginning when the end is reached, and
    /// makes it durable.
    void append(Bytes bytes);

  private:
    int fd_;
    std::uint64_t size_;
    std::uint64_t at_ = 0;
};

/// Measures 4 KiB write + fdatasync.
class Disk {
  public:
    explicit Disk(const std::string& folder);
    /// Microseconds of one.
    double once();
    void measure(unsigned times);
    [[nodiscard]] DiskTimes times() const;

  private:
    PrewrittenFile file_;
    std::vector<double> us_;
};

}  // namespace jw::bench
