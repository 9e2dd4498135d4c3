// SPDX-License-Identifier: Apache-2.0
#include "benches/joulebench/devices.h"

#include <array>
#include <bit>
#include <deque>

#include "benches/joulebench/mix.h"

namespace jw::bench {
namespace {

constexpr std::size_t image_registers = 256;
constexpr std::size_t images = 64;  // inputs rotate, so that nobody learns them by heart
constexpr std::size_t request_size = 12;

using Image = std::array<std::uint8_t, 2 * image_registers>;

/// What a device holds at one moment.
struct Moment {
    Image floats{};
    Image inverter{};
};

class Random {
  public:
    std::uint32_t next() {
        state_ = state_ * 1664525U + 1013904223U;
        return state_;
    }

  private:
    std::uint32_t state_ = 1;
};

void fill_floats(Random& random, Image& image) {
    Writer out(image);
    for (std::size_t i = 0; i < image_registers / 2; ++i) {
        const auto value =
            static_cast<float>(static_cast<std::int32_t>(random.next()) >> 12) / 100.0F;
        out.u32_be(std::bit_cast<std::uint32_t>(value));
    }
}

void put_at(Image& image, std::size_t at, std::initializer_list<unsigned> words) {
    Writer out(MutableBytes(image).subspan(2 * at));
    for (const unsigned word : words) {
        out.u16_be(static_cast<std::uint16_t>(word));
    }
}

/// Models 1, 103 and 160 as SunSpec wants them; the values are any that are not "absent".
void fill_inverter(Random& random, Image& image) {
    constexpr unsigned tenths = 0xFFFF;  // a power of ten of -1
    for (std::size_t at = 0; at < image_registers; ++at) {
        put_at(image, at, {1 + (random.next() >> 16) % 0x3000});
    }
    put_at(image, 0, {0x5375, 0x6E53, 1, 66});
    Writer(MutableBytes(image).subspan(2 * 4)).put(std::string_view("Bench"));
    put_at(image, inverter_at, {103, 50});
    constexpr std::array<std::size_t, 12> scales{6, 13, 15, 17, 19, 21, 23, 26, 28, 30, 32, 37};
    for (const std::size_t scale : scales) {
        put_at(image, inverter_at + scale, {tenths});
    }
    put_at(image, strings_at, {160, strings_size - 2, tenths, tenths, tenths, tenths});
    put_at(image, strings_at + 8, {strings});
    put_at(image, strings_at + strings_size, {0xFFFF, 0});
}

std::vector<Moment> make_moments() {
    std::vector<Moment> made(images);
    Random random;
    for (Moment& moment : made) {
        fill_floats(random, moment.floats);
        fill_inverter(random, moment.inverter);
    }
    return made;
}

struct Connection {
    Fd fd;
    std::array<std::uint8_t, 4096> in{};
    std::size_t in_size = 0;
    Outgoing out;
};

/// Answers a read of registers; anything else gets exception 1.
void answer(Bytes request, const Moment& moment, std::vector<std::uint8_t>& out) {
    Reader in(request);
    const std::uint16_t transaction = in.u16_be();
    in.skip(4);
    const std::uint8_t unit = in.u8();
    const std::uint8_t function = in.u8();
    const std::size_t address = in.u16_be();
    const bool inverter = address >= sunspec_base;
    const Image& image = inverter ? moment.inverter : moment.floats;
    const std::size_t start = address - (inverter ? sunspec_base : 0);
    const std::size_t count = in.u16_be();
    const bool reads = (function == 3 || function == 4) && count > 0 && count <= 125;
    const std::size_t data = reads ? 2 * count : 0;
    const std::size_t at = out.size();
    out.resize(at + 9 + data);
    Writer head(MutableBytes(out).subspan(at, 9));
    head.u16_be(transaction).u16_be(0).u16_be(static_cast<std::uint16_t>(3 + data)).u8(unit);
    head.u8(reads ? function : function | 0x80U).u8(static_cast<std::uint8_t>(reads ? data : 1));
    for (std::size_t i = 0; i < data; ++i) {
        const std::size_t place = 2 * start + i;
        out[at + 9 + i] = place < image.size() ? image[place] : i % 2;
    }
}

}  // namespace

void serve_devices(const Fd& listener) {
    const std::vector<Moment> made = make_moments();
    std::size_t turn = 0;
    std::deque<Connection> connections;
    Events events;
    events.add(listener, UINT32_MAX);
    for (;;) {
        for (const Events::Event& event : events.wait(never)) {
            if (event.name == UINT32_MAX) {
                while (true) {
                    Fd fd = accept_from(listener);
                    if (!fd.open()) {
                        break;
                    }
                    events.add(fd, static_cast<std::uint32_t>(connections.size()));
                    connections.emplace_back().fd = std::move(fd);
                }
                continue;
            }
            Connection& of = connections[event.name];
            const int got = read_some(of.fd, MutableBytes(of.in).subspan(of.in_size));
            if (got < 0) {
                of.fd = Fd();
                continue;
            }
            of.in_size += static_cast<std::size_t>(got);
            std::size_t at = 0;
            for (; of.in_size - at >= request_size; at += request_size) {
                const Bytes request = Bytes(of.in).subspan(at, request_size);
                answer(request, made[turn++ % images], of.out.bytes());
            }
            std::copy(of.in.begin() + static_cast<std::ptrdiff_t>(at),
                      of.in.begin() + static_cast<std::ptrdiff_t>(of.in_size),
                      of.in.begin());
            of.in_size -= at;
            (void)of.out.flush(of.fd);  // a few kilobytes, which a socket always takes
        }
    }
}

}  // namespace jw::bench
