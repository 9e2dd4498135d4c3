// SPDX-License-Identifier: Apache-2.0
#include "benches/disk.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <chrono>

namespace jw::bench {

PrewrittenFile::PrewrittenFile(const std::string& path, std::uint64_t size)
    : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)), size_(size) {
    const std::vector<std::uint8_t> zeros(1U << 20);
    for (std::uint64_t at = 0; at < size; at += zeros.size()) {
        if (pwrite(fd_, zeros.data(), zeros.size(), static_cast<off_t>(at)) !=
            static_cast<ssize_t>(zeros.size())) {
            give_up(path + " cannot be written");
        }
    }
    if (fsync(fd_) != 0) {
        give_up(path + " cannot be synced");
    }
}

PrewrittenFile::~PrewrittenFile() {
    close(fd_);
}

void PrewrittenFile::append(Bytes bytes) {
    if (at_ + bytes.size() > size_) {
        at_ = 0;
    }
    if (pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at_)) !=
            static_cast<ssize_t>(bytes.size()) ||
        fdatasync(fd_) != 0) {
        give_up("the log cannot be written");
    }
    at_ += bytes.size();
}

Disk::Disk(const std::string& folder) : file_(folder + "/disk", 8U << 20) {}

double Disk::once() {
    static constexpr std::array<std::uint8_t, 4096> block{1};
    const double us = 1e6 * seconds_of([&] { file_.append(block); });
    us_.push_back(us);
    return us;
}

void Disk::measure(unsigned times) {
    for (unsigned i = 0; i < times; ++i) {
        once();
    }
}

DiskTimes Disk::times() const {
    std::vector<double> sorted = us_;
    return {percentile(sorted, 50), percentile(sorted, 99)};
}

}  // namespace jw::bench
