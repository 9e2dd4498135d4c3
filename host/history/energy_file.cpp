// SPDX-License-Identifier: Apache-2.0
// The energy file: reading its halves, and writing the older one.
#include "host/history/energy_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/crc.h"

namespace jw {
namespace {

constexpr std::string_view magic = "JWEN";
constexpr std::uint8_t version = 1;
constexpr std::size_t header_size = 4 + 4 + 1 + 8 + 1;
constexpr std::size_t entry_size = limits::name_size_max + 8 + 8;
static_assert(header_size + EnergyFile::batteries_max * entry_size <= EnergyFile::half_size);

using Half = std::array<std::uint8_t, EnergyFile::half_size>;

struct Content {
    std::uint64_t sequence = 0;
    std::vector<BatteryEnergy> all;
};

/// A file descriptor that closes itself.
class File {
  public:
    File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (fd_ >= 0) {
            (void)close(fd_);
        }
    }
    [[nodiscard]] int fd() const { return fd_; }

  private:
    int fd_;
};

Result<Content> parse(const Half& half) {
    Reader in{Bytes(half)};
    const std::uint32_t sum = in.u32_le();
    if (crc32c(Bytes(half).subspan(4)) != sum || as_text(in.take(magic.size())) != magic) {
        return JW_FAIL(bad_checksum);
    }
    if (in.u8() != version) {
        return JW_FAIL(unsupported);
    }
    Content content;
    content.sequence = in.u64_le();
    const std::size_t count = in.u8();
    for (std::size_t i = 0; i < count && i < EnergyFile::batteries_max; ++i) {
        const std::string_view padded = as_text(in.take(limits::name_size_max));
        BatteryEnergy one;
        one.battery = padded.substr(0, padded.find('\0'));
        one.charge_wh = static_cast<std::int64_t>(in.u64_le());
        one.discharge_wh = static_cast<std::int64_t>(in.u64_le());
        content.all.push_back(one);
    }
    return content;
}

void build(const Content& content, Half& half) {
    half.fill(0);
    Writer out{MutableBytes(half).subspan(4)};
    out.put(magic).u8(version).u64_le(content.sequence);
    out.u8(static_cast<std::uint8_t>(content.all.size()));
    for (const BatteryEnergy& one : content.all) {
        std::array<std::uint8_t, limits::name_size_max> name{};
        Writer(name).put(one.battery.view());
        out.put(Bytes(name));
        out.u64_le(static_cast<std::uint64_t>(one.charge_wh));
        out.u64_le(static_cast<std::uint64_t>(one.discharge_wh));
    }
    Writer(half).u32_le(crc32c(Bytes(half).subspan(4)));
}

bool write_all(int fd, std::uint64_t at, Bytes bytes) {
    while (!bytes.empty()) {
        const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
        if (written <= 0) {
            if (written < 0 && errno == EINTR) {
                continue;
            }
            return false;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(written));
        at += static_cast<std::uint64_t>(written);
    }
    return true;
}

/// A new file is there for good once its folder is on the medium.
void sync_folder(const std::string& path) {
    const File folder(std::filesystem::path(path).parent_path(), O_RDONLY | O_DIRECTORY);
    if (folder.fd() >= 0) {
        (void)fsync(folder.fd());
    }
}

}  // namespace

Result<std::vector<BatteryEnergy>> EnergyFile::read() {
    const File file(path_, O_RDONLY);
    if (file.fd() < 0) {
        return errno == ENOENT ? Result<std::vector<BatteryEnergy>>(std::vector<BatteryEnergy>{})
                               : JW_FAIL(internal);
    }
    std::optional<Content> newest;
    bool blank = true;
    for (const std::size_t index : {0, 1}) {
        Half half{};
        const ssize_t size =
            pread(file.fd(), half.data(), half.size(), static_cast<off_t>(index * half_size));
        if (size < 0) {
            return JW_FAIL(internal);
        }
        blank = blank && size == 0;
        Result<Content> content = parse(half);
        foreign_ = foreign_ || (!content && content.code() == Code::unsupported);
        if (content && (!newest || content->sequence > newest->sequence)) {
            newest = std::move(*content);
        }
    }
    if (foreign_) {
        return JW_FAIL(unsupported);
    }
    if (!newest) {
        return blank ? Result<std::vector<BatteryEnergy>>(std::vector<BatteryEnergy>{})
                     : JW_FAIL(bad_checksum);
    }
    sequence_ = newest->sequence;
    return std::move(newest->all);
}

Status EnergyFile::write(std::span<const BatteryEnergy> all) {
    if (foreign_) {
        return JW_FAIL(denied);
    }
    if (all.size() > batteries_max) {
        return JW_FAIL(out_of_range);
    }
    Half half;
    build({sequence_ + 1, {all.begin(), all.end()}}, half);
    const bool is_new = !std::filesystem::exists(path_);
    const File file(path_, O_RDWR | O_CREAT);
    // A half that failed is written again, to the same place: the other one is known to stand.
    const std::uint64_t at = (sequence_ + 1) % 2 * half_size;
    if (file.fd() < 0 || !write_all(file.fd(), at, half) || fdatasync(file.fd()) != 0) {
        return JW_FAIL(internal);
    }
    if (is_new) {
        sync_folder(path_);
    }
    ++sequence_;
    return done;
}

}  // namespace jw
