// SPDX-License-Identifier: Apache-2.0
// Registers of the 16550: one byte at a time.
#include "firmware/uart16550.h"

namespace jw {
namespace {

constexpr std::uintptr_t data = 0;
constexpr std::uintptr_t interrupts = 1;
constexpr std::uintptr_t fifo_control = 2;
constexpr std::uintptr_t line_control = 3;
constexpr std::uintptr_t line_status = 5;
constexpr std::uint8_t received = 0x01;
constexpr std::uint8_t room_to_send = 0x20;
// About a second of waiting at a few nanoseconds a turn; a transmitter that stands still is an
// error.
constexpr std::uint32_t turns_max = 100'000'000;

}  // namespace

void Uart16550::open() {
    at(interrupts) = 0;
    at(line_control) = 0x03;  // 8N1
    at(fifo_control) = 0x07;  // on, both emptied
}

Status Uart16550::send(Bytes bytes) {
    for (const std::uint8_t byte : bytes) {
        std::uint32_t turns = 0;
        while ((at(line_status) & room_to_send) == 0) {
            if (++turns == turns_max) {
                return JW_FAIL(busy);
            }
        }
        at(data) = byte;
    }
    return done;
}

std::size_t Uart16550::receive(MutableBytes out) {
    std::size_t count = 0;
    while (count < out.size() && (at(line_status) & received) != 0) {
        out[count++] = at(data);
    }
    return count;
}

}  // namespace jw
