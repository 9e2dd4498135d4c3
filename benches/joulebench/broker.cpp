// SPDX-License-Identifier: Apache-2.0
#include "benches/joulebench/broker.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>

namespace jw::bench {
namespace {

enum class Packet : std::uint8_t {
    connect = 1,
    connack = 2,
    publish = 3,
    puback = 4,
    subscribe = 8,
    suback = 9,
    unsubscribe = 10,
    unsuback = 11,
    pingreq = 12,
    pingresp = 13,
    disconnect = 14,
};

constexpr std::uint8_t receive_maximum_property = 0x21;

/// A whole packet at the front of the bytes.
struct Frame {
    Packet type;
    std::uint8_t flags;
    std::size_t size;
    Bytes body;
};

std::optional<Frame> take_frame(Bytes bytes) {
    std::size_t length = 0;
    for (std::size_t i = 1; i < bytes.size() && i <= 4; ++i) {
        length |= static_cast<std::size_t>(bytes[i] & 0x7F) << (7 * (i - 1));
        if ((bytes[i] & 0x80) == 0) {
            const std::size_t size = i + 1 + length;
            if (bytes.size() < size) {
                break;
            }
            return Frame{static_cast<Packet>(bytes[0] >> 4),
                         static_cast<std::uint8_t>(bytes[0] & 0xF),
                         size,
                         bytes.subspan(i + 1, length)};
        }
    }
    return std::nullopt;
}

std::size_t take_varint(Reader& in) {
    std::size_t value = 0;
    for (int shift = 0; shift < 28; shift += 7) {
        const std::uint8_t byte = in.u8();
        value |= static_cast<std::size_t>(byte & 0x7F) << shift;
        if ((byte & 0x80) == 0) {
            break;
        }
    }
    return value;
}

std::int64_t number_behind(std::string_view text, std::size_t at) {
    std::int64_t value = 0;
    std::from_chars(text.data() + at, text.data() + text.size(), value);
    return value;
}

/// What is known of the readings that came.
class Readings {
  public:
    Readings(const BrokerSettings& settings, BrokerCounters& counters)
        : settings_(settings), counters_(counters), seen_(settings.backlog + 1) {}

    void take(Bytes payload, Instant acknowledged, std::int64_t acknowledged_unix_us) {
        count_tags(payload, counters_);
        if (settings_.backlog == 0) {
            return;
        }
        constexpr std::string_view seq_key = "{\"seq\":";
        constexpr std::string_view time_key = "\"time\":";
        const std::string_view text = as_text(payload);
        for (std::size_t at = text.find(seq_key); at != std::string_view::npos;
             at = text.find(seq_key, at + seq_key.size())) {
            const auto seq = static_cast<std::uint64_t>(number_behind(text, at + seq_key.size()));
            if (seq <= settings_.backlog) {
                backlog(seq, acknowledged);
            } else {
                const std::size_t time = text.find(time_key, at);
                fresh(seq, number_behind(text, time + time_key.size()), acknowledged_unix_us);
            }
        }
    }

  private:
    void backlog(std::uint64_t seq, Instant acknowledged) {
        if (seen_[seq]) {
            ++counters_.repeated;
            return;
        }
        seen_[seq] = true;
        counters_.disordered += seq < backlog_last_ ? 1 : 0;
        backlog_last_ = seq;
        if (++counters_.backlog == settings_.backlog) {
            counters_.drained_us = acknowledged.us;
        }
    }

    void fresh(std::uint64_t seq, std::int64_t unix_ms, std::int64_t acknowledged_unix_us) {
        if (seq <= fresh_last_) {
            ++counters_.repeated;
            return;
        }
        fresh_last_ = seq;
        const std::size_t at = counters_.latencies;
        if (at < BrokerCounters::latencies_max) {
            counters_.latency[at] = {unix_ms, acknowledged_unix_us - unix_ms * 1000};
            counters_.latencies = at + 1;
        }
    }

    const BrokerSettings& settings_;
    BrokerCounters& counters_;
    std::vector<bool> seen_;
    std::uint64_t backlog_last_ = 0;
    std::uint64_t fresh_last_ = 0;
};

/// The broker's end of one connection.
class Session {
  public:
    Session(const BrokerSettings& settings, BrokerCounters& counters, Readings& readings)
        : settings_(settings), counters_(counters), readings_(readings) {}

    /// Takes bytes; what is to be answered is appended to `out`.
    void received(Bytes bytes, std::vector<std::uint8_t>& out) {
        in_.insert(in_.end(), bytes.begin(), bytes.end());
        std::size_t at = 0;
        while (const auto frame = take_frame(Bytes(in_).subspan(at))) {
            take(*frame, out);
            at += frame->size;
        }
        in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(at));
    }

  private:
    static void put(std::vector<std::uint8_t>& out,
                    Packet type,
                    std::initializer_list<std::uint8_t> body) {
        out.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4));
        out.push_back(static_cast<std::uint8_t>(body.size()));
        out.insert(out.end(), body);
    }

    void take(const Frame& frame, std::vector<std::uint8_t>& out) {
        Reader in(frame.body);
        switch (frame.type) {
            case Packet::connect:
                connect(in, out);
                break;
            case Packet::publish:
                publish(frame, out);
                break;
            case Packet::subscribe:
            case Packet::unsubscribe: {
                const std::uint8_t high = in.u8();
                const std::uint8_t low = in.u8();
                const Packet reply =
                    frame.type == Packet::subscribe ? Packet::suback : Packet::unsuback;
                version_ == 5 ? put(out, reply, {high, low, 0, 1})
                              : put(out, reply, {high, low, 1});
                break;
            }
            case Packet::pingreq:
                put(out, Packet::pingresp, {});
                break;
            default:
                break;
        }
    }

    void connect(Reader& in, std::vector<std::uint8_t>& out) {
        in.skip(in.u16_be());
        version_ = in.u8();
        ++counters_.connects;
        const std::uint16_t most = settings_.receive_maximum;
        if (version_ == 5) {
            put(out,
                Packet::connack,
                {0,
                 0,
                 3,
                 receive_maximum_property,
                 static_cast<std::uint8_t>(most >> 8),
                 static_cast<std::uint8_t>(most)});
        } else {
            put(out, Packet::connack, {0, 0});
        }
    }

    void publish(const Frame& frame, std::vector<std::uint8_t>& out) {
        Reader in(frame.body);
        const std::string_view topic = as_text(in.take(in.u16_be()));
        if ((frame.flags & 0x6) != 0) {
            const std::uint8_t high = in.u8();
            const std::uint8_t low = in.u8();
            put(out, Packet::puback, {high, low});
        }
        if (version_ == 5) {
            in.skip(take_varint(in));
        }
        ++counters_.messages;
        if (topic.ends_with("/readings")) {
            readings_.take(in.rest(), now() + settings_.delay, unix_us() + settings_.delay.us);
        }
    }

    const BrokerSettings& settings_;
    BrokerCounters& counters_;
    Readings& readings_;
    std::uint8_t version_ = 5;
    std::vector<std::uint8_t> in_;
};

/// Bytes that travel for a while and keep their order.
class DelayLine {
  public:
    void put(Bytes bytes, Instant due) {
        if (!bytes.empty()) {
            pieces_.push_back({due, {bytes.begin(), bytes.end()}});
        }
    }
    [[nodiscard]] Instant next() const { return pieces_.empty() ? never : pieces_.front().due; }
    std::vector<std::uint8_t> take() {
        std::vector<std::uint8_t> bytes = std::move(pieces_.front().bytes);
        pieces_.pop_front();
        return bytes;
    }

  private:
    struct Piece {
        Instant due;
        std::vector<std::uint8_t> bytes;
    };
    std::deque<Piece> pieces_;
};

/// Counts, where the sender's bytes come in and before the line delays them, how many of his
/// messages of QoS 1 wait for their acknowledgement.
class WindowWatch {
  public:
    explicit WindowWatch(BrokerCounters& counters) : counters_(counters) {}
    void sent(Bytes bytes) {
        in_.insert(in_.end(), bytes.begin(), bytes.end());
        std::size_t at = 0;
        while (const auto frame = take_frame(Bytes(in_).subspan(at))) {
            const bool counts = frame->type == Packet::publish && (frame->flags & 0x6) != 0;
            under_way_ += counts ? 1 : 0;
            at += frame->size;
        }
        in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(at));
        counters_.under_way_most = std::max<std::uint32_t>(counters_.under_way_most, under_way_);
    }
    void answered(Bytes bytes) {
        while (const auto frame = take_frame(bytes)) {
            under_way_ -= frame->type == Packet::puback ? 1 : 0;
            bytes = bytes.subspan(frame->size);
        }
    }

  private:
    BrokerCounters& counters_;
    std::vector<std::uint8_t> in_;
    std::uint32_t under_way_ = 0;
};

struct Connection {
    Connection(Fd socket,
               const BrokerSettings& settings,
               BrokerCounters& counters,
               Readings& readings)
        : fd(std::move(socket)), watch(counters), session(settings, counters, readings) {}
    Fd fd;
    WindowWatch watch;
    DelayLine there;
    DelayLine back;
    Session session;
    Outgoing out;

    /// Moves what has travelled long enough; says when the next bytes arrive.
    Instant step(Instant time, Duration delay) {
        while (there.next() <= time) {
            std::vector<std::uint8_t> answers;
            session.received(there.take(), answers);
            back.put(answers, time + delay);
        }
        while (back.next() <= time) {
            const std::vector<std::uint8_t> bytes = back.take();
            watch.answered(bytes);
            out.put(bytes);
        }
        (void)out.flush(fd);  // a few bytes a message, which a socket always takes
        return earlier(there.next(), back.next());
    }
};

}  // namespace

void count_tags(Bytes payload, BrokerCounters& counters) {
    constexpr std::size_t head_members = 6;     // v, gateway, site, epoch, class, readings
    constexpr std::size_t reading_members = 3;  // seq, device, time
    const auto readings = static_cast<std::size_t>(std::count(payload.begin(), payload.end(), '{'));
    const auto members = static_cast<std::size_t>(std::count(payload.begin(), payload.end(), ':'));
    const std::size_t others = head_members + reading_members * (readings - 1);
    counters.readings += readings - 1;
    counters.tags += members > others ? members - others : 0;
    counters.bytes += payload.size();
}

void serve_broker(const Fd& listener, const BrokerSettings& settings, BrokerCounters& counters) {
    Readings readings(settings, counters);
    std::vector<std::unique_ptr<Connection>> connections;
    std::vector<std::uint8_t> room(256 * 1024);
    Events events;
    events.add(listener, UINT32_MAX);
    Instant next = never;
    for (;;) {
        for (const Events::Event& event : events.wait(next)) {
            if (event.name == UINT32_MAX) {
                if (Fd fd = accept_from(listener); fd.open()) {
                    events.add(fd, static_cast<std::uint32_t>(connections.size()));
                    connections.push_back(
                        std::make_unique<Connection>(std::move(fd), settings, counters, readings));
                }
                continue;
            }
            Connection& of = *connections[event.name];
            const int got = read_some(of.fd, room);
            if (got < 0) {
                of.fd = Fd();
                continue;
            }
            const Bytes bytes = Bytes(room).first(static_cast<std::size_t>(got));
            of.watch.sent(bytes);
            of.there.put(bytes, now() + settings.delay);
        }
        next = never;
        for (const auto& of : connections) {
            if (of->fd.open()) {
                next = earlier(next, of->step(now(), settings.delay));
            }
        }
    }
}

}  // namespace jw::bench
