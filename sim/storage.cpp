// SPDX-License-Identifier: Apache-2.0
// How a simulated storage takes changes and what is left of them.
#include "sim/storage.h"

#include <algorithm>
#include <cstring>

namespace jw {

SimStorage::SimStorage(Shape shape, std::uint32_t blocks, std::uint64_t seed)
    : shape_(shape),
      blocks_(blocks),
      random_(seed),
      bytes_(std::size_t{blocks} * block_size,
             static_cast<std::uint8_t>(shape == Shape::flash ? 0xFF : 0)),
      medium_(bytes_) {}

Status SimStorage::read(std::uint64_t at, MutableBytes out) {
    if (at > bytes_.size() || out.size() > bytes_.size() - at) {
        return JW_FAIL(internal);
    }
    std::memcpy(out.data(), bytes_.data() + at, out.size());
    return done;
}

void SimStorage::make(Shape shape,
                      const Change& change,
                      const std::uint8_t* data,
                      std::size_t size,
                      std::vector<std::uint8_t>& image) {
    std::uint8_t* const to = image.data() + change.at;
    if (change.erase) {
        std::memset(to, 0xFF, size);
    } else if (shape == Shape::file) {
        std::memcpy(to, data + change.data, size);
    } else {
        for (std::size_t i = 0; i < size; ++i) {
            to[i] = static_cast<std::uint8_t>(to[i] & data[change.data + i]);
        }
    }
}

void SimStorage::remember(const Change& change, Bytes bytes) {
    unsynced_.push_back(change);
    data_.insert(data_.end(), bytes.begin(), bytes.end());
    make(shape_, change, data_.data(), change.size, bytes_);
}

Status SimStorage::write(std::uint64_t at, Bytes bytes) {
    if (at > bytes_.size() || bytes.size() > bytes_.size() - at || bytes.empty() ||
        at / block_size != (at + bytes.size() - 1) / block_size) {
        return JW_FAIL(out_of_range);
    }
    if (read_only_) {
        return JW_FAIL(denied);
    }
    if (on_change_) {
        on_change_();
    }
    ++counters_.writes;
    Status result = done;
    if (good_writes_ > 0) {
        --good_writes_;
    } else if (failing_writes_ > 0) {
        --failing_writes_;
        result = no_space_ ? JW_FAIL(full) : JW_FAIL(internal);
        bytes = bytes.first(random_.below(bytes.size() + 1));
    }
    counters_.bytes_written += bytes.size();
    if (shape_ == Shape::flash) {
        counters_.written_twice += static_cast<std::uint64_t>(
            std::count_if(bytes_.begin() + static_cast<std::ptrdiff_t>(at),
                          bytes_.begin() + static_cast<std::ptrdiff_t>(at + bytes.size()),
                          [](std::uint8_t byte) { return byte != 0xFF; }));
    }
    remember({at, bytes.size(), data_.size(), false}, bytes);
    return result;
}

Status SimStorage::erase(std::uint32_t block) {
    if (block >= blocks_) {
        return JW_FAIL(out_of_range);
    }
    if (read_only_) {
        return JW_FAIL(denied);
    }
    ++counters_.erases;
    if (shape_ == Shape::flash) {
        if (on_change_) {
            on_change_();
        }
        remember({std::uint64_t{block} * block_size, block_size, data_.size(), true}, {});
    }
    return done;
}

std::optional<SimStorage::Answer> SimStorage::answer() {
    if (asked_.empty()) {
        return std::nullopt;
    }
    Answer answer{asked_.front().ticket, done};
    const std::size_t changes = asked_.front().changes;
    asked_.pop_front();
    ++counters_.syncs;
    if (failing_syncs_ > 0) {
        --failing_syncs_;
        answer.result = JW_FAIL(internal);
        // Flash has no cache: what read() shows is there, whatever the driver reports.
        settle(shape_ == Shape::file ? Persistence::subset : Persistence::kept);
        // Nothing written since the last success counts, also for who asked meanwhile.
        failing_syncs_ = std::max(failing_syncs_, static_cast<unsigned>(asked_.size()));
    } else {
        settle_first(changes);
    }
    return answer;
}

void SimStorage::fail_writes(std::uint64_t good, std::uint64_t count, bool no_space) {
    good_writes_ = count == 0 ? 0 : good;
    failing_writes_ = count;
    no_space_ = no_space;
}

void SimStorage::flip_bit(std::uint64_t bit) {
    const auto mask = static_cast<std::uint8_t>(1U << bit % 8);
    bytes_[bit / 8] ^= mask;
    medium_[bit / 8] ^= mask;
}

void SimStorage::erase_first(const std::vector<Change>& changes, std::vector<std::size_t>& sizes) {
    // Flash does one thing after the other: what stands in a block was written after its erasure.
    for (std::size_t i = 0; i < changes.size(); ++i) {
        for (std::size_t k = i + 1; k < changes.size() && changes[i].erase; ++k) {
            if (sizes[k] != 0 && changes[k].at / block_size == changes[i].at / block_size) {
                sizes[i] = changes[i].size;
                break;
            }
        }
    }
}

void SimStorage::settle(Persistence persistence) {
    std::vector<std::size_t> sizes(unsynced_.size());
    for (std::size_t i = 0; i < unsynced_.size(); ++i) {
        const bool last = i + 1 == unsynced_.size();
        sizes[i] = unsynced_[i].size;
        if (persistence == Persistence::dropped ||
            (persistence == Persistence::subset && random_.one_in(2))) {
            sizes[i] = 0;
        } else if (last && persistence != Persistence::kept) {
            sizes[i] = random_.below(sizes[i] + 1);
        }
    }
    erase_first(unsynced_, sizes);
    for (std::size_t i = 0; i < unsynced_.size(); ++i) {
        make(shape_, unsynced_[i], data_.data(), sizes[i], medium_);
    }
    unsynced_.clear();
    data_.clear();
    for (Asked& asked : asked_) {
        asked.changes = 0;
    }
}

void SimStorage::settle_first(std::size_t changes) {
    for (std::size_t i = 0; i < changes; ++i) {
        make(shape_, unsynced_[i], data_.data(), unsynced_[i].size, medium_);
    }
    const std::size_t bytes = changes < unsynced_.size() ? unsynced_[changes].data : data_.size();
    unsynced_.erase(unsynced_.begin(), unsynced_.begin() + static_cast<std::ptrdiff_t>(changes));
    data_.erase(data_.begin(), data_.begin() + static_cast<std::ptrdiff_t>(bytes));
    for (Change& change : unsynced_) {
        change.data -= bytes;
    }
    for (Asked& asked : asked_) {
        asked.changes -= changes;
    }
}

void SimStorage::cut_power(Persistence persistence) {
    settle(persistence);
    bytes_ = medium_;
    asked_.clear();
    failing_syncs_ = 0;
    good_writes_ = failing_writes_ = 0;
    read_only_ = false;
}

void SimStorage::replace(std::vector<std::uint8_t> bytes) {
    bytes.resize(bytes_.size());
    bytes_ = std::move(bytes);
    medium_ = bytes_;
    unsynced_.clear();
    data_.clear();
    asked_.clear();
}

}  // namespace jw
