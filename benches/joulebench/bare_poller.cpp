// SPDX-License-Identifier: Apache-2.0
#include "benches/joulebench/bare_poller.h"

#include <array>
#include <bit>
#include <cmath>

#include "benches/joulebench/net.h"

namespace jw::bench {
namespace {

constexpr std::size_t request_size = 12;
constexpr std::size_t header_size = 9;  // of an answer: MBAP, function, count of bytes

/// A question as bytes, and what its answer is.
struct Prepared {
    std::array<std::uint8_t, request_size> request{};
    std::size_t answer_size = 0;
    const Question* question = nullptr;
};

constexpr std::array powers_of_ten{1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4};
constexpr std::size_t power_of_one = 6;

std::uint16_t u16_at(Bytes bytes, std::size_t at) {
    return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

std::int64_t value_of(const RawValue& value, Bytes bytes) {
    const std::uint16_t high = u16_at(bytes, value.at);
    double number = high;
    if (value.type == RawType::i16) {
        number = static_cast<std::int16_t>(high);
    } else if (value.type == RawType::u32 || value.type == RawType::f32) {
        const std::uint32_t bits = std::uint32_t{high} << 16 | u16_at(bytes, value.at + 2);
        number = value.type == RawType::f32 ? static_cast<double>(std::bit_cast<float>(bits))
                                            : static_cast<double>(bits);
    }
    number *= value.multiply;
    if (value.scale_at >= 0) {
        const auto scale =
            static_cast<std::int16_t>(u16_at(bytes, static_cast<std::size_t>(value.scale_at)));
        number *= powers_of_ten.at(power_of_one + static_cast<std::size_t>(scale));
    }
    return std::llround(number);
}

struct Connection {
    Fd fd;
    std::size_t first = 0;  // its devices: first, first + connections, …
    std::size_t device = 0;
    std::size_t question = 0;
    Instant due;
    bool asking = false;
    std::array<std::uint8_t, 512> in{};
    std::size_t in_size = 0;
};

class BarePoller {
  public:
    BarePoller(const BareSettings& settings, BareCounters& counters)
        : settings_(settings), counters_(counters) {
        plan();
        connections_.resize(settings.connections);
        const Instant start = now() + settings.poll;
        for (std::size_t i = 0; i < connections_.size(); ++i) {
            Connection& of = connections_[i];
            of.fd = connect_to_loopback(settings.port);
            of.first = of.device = i;
            of.due = start;
            events_.add(of.fd, static_cast<std::uint32_t>(i));
        }
    }

    [[noreturn]] void run() {
        for (;;) {
            Instant next = never;
            const Instant time = now();
            for (Connection& of : connections_) {
                if (!of.asking && of.due <= time) {
                    of.due = of.due + settings_.poll;
                    of.device = of.first;
                    of.question = 0;
                    ask(of);
                }
                next = of.asking ? next : earlier(next, of.due);
            }
            for (const Events::Event& event : events_.wait(next)) {
                receive(connections_[event.name]);
            }
        }
    }

  private:
    void plan() {
        for (const Question& question : settings_.mix->questions) {
            Prepared prepared;
            Writer out(prepared.request);
            out.u32_be(0).u16_be(6).u8(0).u8(question.function);
            out.u16_be(question.start).u16_be(question.count);
            prepared.answer_size = header_size + 2U * question.count;
            prepared.question = &question;
            questions_.push_back(prepared);
        }
    }

    void ask(Connection& of) {
        Prepared& question = questions_[of.question];
        ++transaction_;
        question.request[0] = static_cast<std::uint8_t>(transaction_ >> 8);
        question.request[1] = static_cast<std::uint8_t>(transaction_);
        question.request[6] = static_cast<std::uint8_t>(1 + of.device / settings_.connections);
        of.asking = true;
        of.in_size = 0;
        Outgoing out;
        out.put(question.request);
        (void)out.flush(of.fd);
    }

    void receive(Connection& of) {
        const int got = read_some(of.fd, MutableBytes(of.in).subspan(of.in_size));
        of.in_size += static_cast<std::size_t>(std::max(got, 0));
        const Prepared& question = questions_[of.question];
        if (of.in_size < question.answer_size) {
            return;
        }
        decode(*question.question, Bytes(of.in).subspan(header_size));
        if (++of.question == questions_.size()) {
            of.question = 0;
            of.device += settings_.connections;
        }
        if (of.device < settings_.devices) {
            ask(of);
        } else {
            of.asking = false;
        }
    }

    void decode(const Question& question, Bytes bytes) {
        std::int64_t sum = 0;
        for (const RawValue& value : question.values) {
            sum += value_of(value, bytes);
        }
        counters_.sum.fetch_add(sum, std::memory_order_relaxed);
        counters_.tags.fetch_add(question.values.size(), std::memory_order_relaxed);
    }

    BareSettings settings_;
    BareCounters& counters_;
    std::vector<Prepared> questions_;
    std::vector<Connection> connections_;
    Events events_;
    std::uint16_t transaction_ = 0;
};

}  // namespace

void poll_barely(const BareSettings& settings, BareCounters& counters) {
    BarePoller(settings, counters).run();
}

}  // namespace jw::bench
