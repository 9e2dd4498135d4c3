// SPDX-License-Identifier: Apache-2.0
// A store's file under a layer of memory.
#include "apps/joulectl/read_only_storage.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "apps/joulectl/subcommands.h"

namespace joulectl {

ReadOnlyStorage::ReadOnlyStorage(const std::string& path) {
    struct stat status {};
    descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor_ < 0 || fstat(descriptor_, &status) != 0) {
        throw UsageError(path + ": " + std::strerror(errno) +
                         "; name the folder of a gateway's store (storage.path in its settings)");
    }
    block_count_ = static_cast<std::uint32_t>(status.st_size / block_size);
}

ReadOnlyStorage::~ReadOnlyStorage() {
    close(descriptor_);
}

jw::Status ReadOnlyStorage::read_block(std::uint32_t block, jw::MutableBytes out) const {
    const auto changed = written_.find(block);
    if (changed != written_.end()) {
        std::copy(changed->second.begin(), changed->second.end(), out.begin());
        return jw::done;
    }
    std::size_t size = 0;
    while (size < block_size) {
        const ssize_t part = pread(descriptor_,
                                   out.data() + size,
                                   block_size - size,
                                   static_cast<off_t>(std::uint64_t{block} * block_size + size));
        if (part <= 0) {
            return JW_FAIL(internal);
        }
        size += static_cast<std::size_t>(part);
    }
    return jw::done;
}

jw::Status ReadOnlyStorage::read(std::uint64_t at, jw::MutableBytes out) {
    std::array<std::uint8_t, block_size> whole{};
    while (!out.empty()) {
        const auto block = static_cast<std::uint32_t>(at / block_size);
        const std::size_t offset = at % block_size;
        if (block >= block_count_) {
            return JW_FAIL(out_of_range);
        }
        JW_TRY(read_block(block, whole));
        const std::size_t size = std::min<std::size_t>(out.size(), block_size - offset);
        std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(offset), size, out.begin());
        out = out.subspan(size);
        at += size;
    }
    return jw::done;
}

jw::Status ReadOnlyStorage::write(std::uint64_t at, jw::Bytes bytes) {
    const auto block = static_cast<std::uint32_t>(at / block_size);
    const std::size_t offset = at % block_size;
    if (block >= block_count_ || bytes.size() > block_size - offset) {
        return JW_FAIL(out_of_range);
    }
    std::vector<std::uint8_t> whole(block_size);
    JW_TRY(read_block(block, whole));
    std::copy(bytes.begin(), bytes.end(), whole.begin() + static_cast<std::ptrdiff_t>(offset));
    written_[block] = std::move(whole);
    return jw::done;
}

jw::Status ReadOnlyStorage::erase(std::uint32_t block) {
    if (block >= block_count_) {
        return JW_FAIL(out_of_range);
    }
    written_[block].assign(block_size, 0xFF);
    return jw::done;
}

void ReadOnlyStorage::answer(const std::function<void(jw::SyncTicket)>& synced) {
    while (!tickets_.empty()) {
        const std::vector<jw::SyncTicket> asked = std::move(tickets_);
        tickets_.clear();
        for (const jw::SyncTicket ticket : asked) {
            synced(ticket);
        }
    }
}

}  // namespace joulectl
