// SPDX-License-Identifier: Apache-2.0
#include "bench/joulebench/devices.h"

#include <array>
#include <bit>
#include <deque>

namespace jw::bench {
namespace {

constexpr std::size_t image_registers = 256;
constexpr std::size_t images = 64;  // inputs rotate, so that nobody learns them by heart
constexpr std::size_t request_size = 12;

using Image = std::array<std::uint8_t, 2 * image_registers>;

std::vector<Image> make_images() {
    std::vector<Image> made(images);
    std::uint32_t random = 1;
    for (Image& image : made) {
        Writer out(image);
        for (std::size_t i = 0; i < image_registers / 2; ++i) {
            random = random * 1664525U + 1013904223U;
            const auto value = static_cast<float>(static_cast<std::int32_t>(random) >> 12) / 100.0F;
            out.u32_be(std::bit_cast<std::uint32_t>(value));
        }
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
void answer(Bytes request, const Image& image, std::vector<std::uint8_t>& out) {
    Reader in(request);
    const std::uint16_t transaction = in.u16_be();
    in.skip(4);
    const std::uint8_t unit = in.u8();
    const std::uint8_t function = in.u8();
    const std::size_t start = in.u16_be();
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
    const std::vector<Image> made = make_images();
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
