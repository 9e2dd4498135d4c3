// SPDX-License-Identifier: Apache-2.0
#include "bench/joulebench/bare_poller.h"

#include <array>
#include <bit>
#include <cmath>

#include "bench/joulebench/net.h"

namespace jw::bench {
namespace {

constexpr std::size_t request_size = 12;
constexpr std::size_t header_size = 9;  // of an answer: MBAP, function, count of bytes

/// One question of a poll, and the rows that its answer holds.
struct Question {
    std::array<std::uint8_t, request_size> request{};
    std::size_t answer_size = 0;
    std::uint16_t start = 0;
    std::span<const registers::Row> rows;
};

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
        const registers::RegisterMap& map = *settings_.map;
        std::size_t row = 0;
        for (const registers::Block& block : map.blocks) {
            Question question;
            Writer out(question.request);
            out.u32_be(0).u16_be(6).u8(0).u8(static_cast<std::uint8_t>(block.table));
            out.u16_be(block.start).u16_be(block.count);
            question.answer_size = header_size + 2U * block.count;
            question.start = block.start;
            const std::size_t first = row;
            while (row < map.rows.size() && map.rows[row].table == block.table &&
                   map.rows[row].address < block.start + block.count) {
                ++row;
            }
            question.rows = map.rows.subspan(first, row - first);
            questions_.push_back(question);
        }
    }

    void ask(Connection& of) {
        Question& question = questions_[of.question];
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
        const Question& question = questions_[of.question];
        if (of.in_size < question.answer_size) {
            return;
        }
        decode(question, Bytes(of.in).subspan(header_size));
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
        for (const registers::Row& row : question.rows) {
            Reader in(bytes.subspan(2U * (row.address - question.start), 4));
            const float value = std::bit_cast<float>(in.u32_be());
            sum += std::llround(static_cast<double>(value) * row.multiply);
        }
        counters_.sum.fetch_add(sum, std::memory_order_relaxed);
        counters_.tags.fetch_add(question.rows.size(), std::memory_order_relaxed);
    }

    BareSettings settings_;
    BareCounters& counters_;
    std::vector<Question> questions_;
    std::vector<Connection> connections_;
    Events events_;
    std::uint16_t transaction_ = 0;
};

}  // namespace

void poll_barely(const BareSettings& settings, BareCounters& counters) {
    BarePoller(settings, counters).run();
}

}  // namespace jw::bench
