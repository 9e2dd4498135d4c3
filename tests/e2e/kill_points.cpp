// SPDX-License-Identifier: Apache-2.0
// The names of kill points, found from file names, offsets, ports and the first bytes of messages.
#include "tests/e2e/kill_points.h"

#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

#include "core/base/limits.h"
#include "core/base/ports.h"

namespace {

using Octets = std::span<const unsigned char>;

constexpr off_t block_size = jw::Storage::block_size;
// docs/formats/outbox.md, command-journal.md.
constexpr off_t store_journal = 2 * block_size;
constexpr off_t cursors = 4 * block_size;
constexpr off_t segments = cursors + 2 * block_size * static_cast<off_t>(jw::limits::sinks_max);
constexpr off_t journal_half = 128 * 1024;
constexpr off_t slot_size = 160;

/// The last part of the file's path: "outbox", "commands", "folder", or nothing.
std::string_view file_kind(std::string_view path) {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    return name == "outbox.store"     ? "outbox"
           : name == "commands.store" ? "commands"
           : name == "state"          ? "folder"
                                      : "";
}

std::string_view file_kind(int file) {
    std::array<char, 32> link{};
    std::array<char, 512> path{};
    PointName number;
    std::array<char, 12> digits{};
    std::size_t at = digits.size();
    for (int rest = file; at == digits.size() || rest > 0; rest /= 10) {
        digits[--at] = static_cast<char>('0' + rest % 10);
    }
    number << "/proc/self/fd/" << std::string_view(digits.data() + at, digits.size() - at);
    std::copy(number.view().begin(), number.view().end(), link.begin());
    const ssize_t size = readlink(link.data(), path.data(), path.size());
    return size > 0 ? file_kind({path.data(), static_cast<std::size_t>(size)}) : "";
}

/// Whether one of the places `first`, `first + every`, … lies in [at, end).
bool covers(off_t at, off_t end, off_t first, off_t every) {
    const off_t place = at <= first ? first : first + (at - first + every - 1) / every * every;
    return place < end;
}

std::string_view part_of_outbox(off_t at) {
    return at < store_journal ? "superblock"
           : at < cursors     ? "store journal"
           : at < segments    ? "cursors"
                              : "segments";
}

std::string_view outbox_write(Octets data, off_t at) {
    const off_t end = at + static_cast<off_t>(data.size());
    const auto segment = static_cast<off_t>(trouble().segment_size);
    if (data.size() > block_size &&
        std::ranges::all_of(data, [](auto byte) { return byte == 0; })) {
        return "zeros";
    }
    if (at < segments) {
        return part_of_outbox(at);
    }
    return covers(at, end, segments, segment)      ? "segment head"
           : covers(at, end, segments, block_size) ? "block head"
                                                   : "records";
}

std::string_view commands_write(Octets data, off_t at) {
    if (at % journal_half == 0) {
        return "head";
    }
    constexpr std::array<std::string_view, 3> phases{"begun", "ended", "reported"};
    const bool entry = at % block_size % slot_size == 0 && data.size() >= slot_size;
    return entry && data[4] < phases.size() ? phases[data[4]] : "entries";
}

std::string_view socket_kind(int socket) {
    sockaddr_storage peer{};
    socklen_t size = sizeof(peer);
    if (getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) {
        return "";
    }
    if (peer.ss_family == AF_UNIX) {
        return "notify";
    }
    if (ntohs(reinterpret_cast<const sockaddr_in&>(peer).sin_port) == trouble().broker_port) {
        return "broker";
    }
    sockaddr_storage own{};
    size = sizeof(own);
    (void)getsockname(socket, reinterpret_cast<sockaddr*>(&own), &size);
    const bool web =
        ntohs(reinterpret_cast<const sockaddr_in&>(own).sin_port) == trouble().web_port;
    return web ? "web" : "bus";
}

std::string_view packet_name(unsigned char first) {
    constexpr std::array<std::string_view, 16> names{"",
                                                     "CONNECT",
                                                     "CONNACK",
                                                     "PUBLISH",
                                                     "PUBACK",
                                                     "PUBREC",
                                                     "PUBREL",
                                                     "PUBCOMP",
                                                     "SUBSCRIBE",
                                                     "SUBACK",
                                                     "UNSUBSCRIBE",
                                                     "UNSUBACK",
                                                     "PINGREQ",
                                                     "PINGRESP",
                                                     "DISCONNECT",
                                                     "AUTH"};
    return names[first >> 4];
}

/// Of a PUBLISH what it is about: the last part of the topic, "commands" where an id follows.
std::string_view topic_name(Octets packet) {
    std::size_t at = 1;
    while (at < packet.size() && (packet[at] & 0x80) != 0) {
        ++at;
    }
    at += 3;
    if (at > packet.size()) {
        return "";
    }
    const auto said = static_cast<std::size_t>(packet[at - 2] << 8 | packet[at - 1]);
    const std::size_t size = std::min(said, packet.size() - at);
    const std::string_view topic(reinterpret_cast<const char*>(packet.data()) + at, size);
    const std::string_view last = topic.substr(topic.rfind('/') + 1);
    return topic.find("/commands/") != std::string_view::npos ? "commands" : last;
}

/// Of a Modbus TCP frame, whether it changes something or reads.
std::string_view modbus_name(Octets frame) {
    constexpr std::array<unsigned char, 4> changes{5, 6, 15, 16};
    const bool change = frame.size() > 7 && std::ranges::count(changes, frame[7]) > 0;
    return change ? " write" : " read";
}

/// Where in a stream of MQTT packets a reader stands.
class PacketReader {
  public:
    /// The first byte of the last packet that begins in these bytes; nothing where none does.
    unsigned char take(Octets data) {
        unsigned char begun = 0;
        for (std::size_t at = 0; at < data.size(); ++at) {
            if (place_ == Place::first) {
                begun = data[at];
                place_ = Place::length;
                left_ = 0;
                shift_ = 0;
            } else if (place_ == Place::length) {
                left_ |= static_cast<std::size_t>(data[at] & 0x7F) << shift_;
                shift_ += 7;
                const bool more = (data[at] & 0x80) != 0;
                place_ = more ? Place::length : left_ > 0 ? Place::body : Place::first;
            } else if (--left_ == 0) {
                place_ = Place::first;
            }
        }
        return begun;
    }

  private:
    enum class Place { first, length, body };
    Place place_ = Place::first;
    std::size_t left_ = 0;
    unsigned shift_ = 0;
};

/// Whether it is the point itself or one of its kind: "write outbox" stands for each of its parts.
bool is_of(std::string_view name, std::string_view point) {
    return name.starts_with(point) && (name.size() == point.size() || name[point.size()] == ' ');
}

PacketReader& broker_stream() {
    static PacketReader stream;
    return stream;
}

}  // namespace

PointName& PointName::operator<<(std::string_view words) {
    const std::size_t size = std::min(words.size(), text_.size() - size_);
    std::copy_n(words.begin(), size, text_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += size;
    return *this;
}

bool point_wanted() {
    return trouble().point_nth != 0;
}

bool point_reached(const PointName& name) {
    if (point_wanted() && trouble().point_waits != 0) {
        trouble().point_waits = name.view() == trouble().since.data() ? 0 : 1;
        return false;
    }
    return point_wanted() && is_of(name.view(), trouble().point.data()) &&
           ++trouble().point_hits == trouble().point_nth;
}

Moment point_moment() {
    return static_cast<Moment>(trouble().point_moment.load());
}

PointName name_of_open(const char* path) {
    PointName name;
    const std::string_view kind = file_kind(std::string_view(path));
    return kind.empty() ? name : name << "open " << kind;
}

PointName name_of_file(const char* verb, int file) {
    PointName name;
    const std::string_view kind = point_wanted() ? file_kind(file) : "";
    return kind.empty() ? name : name << verb << " " << kind;
}

PointName name_of_file_write(int file, const void* data, std::size_t size, off_t at) {
    PointName name = name_of_file("write", file);
    const Octets bytes(static_cast<const unsigned char*>(data), size);
    if (name.view() == "write outbox") {
        name << " " << outbox_write(bytes, at);
    } else if (name.view() == "write commands") {
        name << " " << commands_write(bytes, at);
    }
    return name;
}

PointName name_of_file_read(int file, off_t at) {
    PointName name = name_of_file("read", file);
    return name.view() == "read outbox" ? name << " " << part_of_outbox(at) : name;
}

PointName name_of_connect(const sockaddr* address) {
    PointName name;
    if (address->sa_family == AF_UNIX) {
        return name << "connect notify";
    }
    if (address->sa_family != AF_INET) {
        return name;
    }
    const bool broker =
        ntohs(reinterpret_cast<const sockaddr_in*>(address)->sin_port) == trouble().broker_port;
    if (broker) {
        broker_stream() = {};
    }
    return name << "connect " << (broker ? "broker" : "bus");
}

PointName name_of_send(int socket, const void* data, std::size_t size) {
    PointName name;
    const std::string_view kind = point_wanted() && size > 0 ? socket_kind(socket) : "";
    if (kind.empty()) {
        return name;
    }
    name << "send " << kind;
    const Octets bytes(static_cast<const unsigned char*>(data), size);
    const std::string_view text(static_cast<const char*>(data), size);
    if (kind == "broker") {
        name << " " << packet_name(bytes[0]);
        if (bytes[0] >> 4 == 3) {
            name << " " << topic_name(bytes);
        }
    } else if (kind == "notify") {
        // What is accepted is told together with the watchdog's beat.
        const std::string_view key = text.substr(0, text.find('='));
        name << " " << (key == "WATCHDOG" ? "STATUS" : key);
    } else if (kind == "web" && text.starts_with("HTTP/1.1 ")) {
        name << " " << text.substr(9, 3);
    } else if (kind == "bus") {
        name << modbus_name(bytes);
    }
    return name;
}

PointName name_of_receive(int socket, const void* data, std::size_t size) {
    PointName name;
    // The broker's stream is followed also while no point is wanted.
    const bool watched = size > 0 && trouble().broker_port != 0;
    const std::string_view kind = watched ? socket_kind(socket) : "";
    if (kind.empty()) {
        return name;
    }
    const Octets bytes(static_cast<const unsigned char*>(data), size);
    if (kind == "broker") {
        const unsigned char first = broker_stream().take(bytes);
        return first == 0 ? name : name << "receive broker " << packet_name(first);
    }
    name << "receive " << kind;
    return kind == "bus" ? name << modbus_name(bytes) : name;
}
