// SPDX-License-Identifier: Apache-2.0
// The virt machine of QEMU: time, serial lines, and flash that is a file of the host.
#include "firmware/boards/qemu_virt/board.h"

#include <algorithm>
#include <array>

#include "core/base/check.h"
#include "core/base/text.h"

// From the linker script: where the stack begins (it grows downwards); the address of the second is
// its size.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the script's names.
extern std::uint32_t __stack[];
extern char __stack_size[];
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
}

namespace jw {

[[noreturn]] void check_failed(std::uint16_t file, std::uint16_t line) {
    std::array<char, 48> buffer{};
    Text text(buffer);
    text.put("CHECK failed: file ").hex(file, 4).put(" line ").put(line).put('\n').put('\0');
    board::log(text.view());
    board::stop(3);
}

}  // namespace jw

/// Where the library finds an index beyond its array. The C library's own would bring signals.
extern "C" [[noreturn]] void abort() {
    __builtin_trap();
}

namespace jw::board {
namespace {

// Semihosting for RISC-V (RISC-V Semihosting 0.3; operations of Arm's Semihosting 2.0).
enum class Call : std::uint32_t {
    open = 0x01,
    close = 0x02,
    write0 = 0x04,
    write = 0x05,
    read = 0x06,
    seek = 0x0A,
    length = 0x0C,
    time = 0x11,
    exit = 0x18,
    elapsed = 0x30,
};

std::uint32_t semihost(Call call, const void* argument) {
    register auto a0 __asm__("a0") = static_cast<std::uint32_t>(call);
    register auto a1 __asm__("a1") = argument;
    __asm__ volatile(
        ".option push\n.option norvc\n.balign 16\n"
        "slli x0, x0, 0x1f\nebreak\nsrai x0, x0, 7\n.option pop\n"
        : "+r"(a0)
        : "r"(a1)
        : "memory");
    return a0;
}

int open_file(const char* path, std::size_t size, std::uint32_t mode) {
    const std::array<std::uint32_t, 3> block{
        static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(path)),
        mode,
        static_cast<std::uint32_t>(size)};
    return static_cast<int>(semihost(Call::open, block.data()));
}

bool seek(int file, std::uint32_t at) {
    const std::array<std::uint32_t, 2> block{static_cast<std::uint32_t>(file), at};
    return semihost(Call::seek, block.data()) == 0;
}

/// Gives how many bytes were left over: 0 is success.
std::uint32_t transfer(Call call, int file, const void* bytes, std::size_t size) {
    const std::array<std::uint32_t, 3> block{
        static_cast<std::uint32_t>(file),
        static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(bytes)),
        static_cast<std::uint32_t>(size)};
    return semihost(call, block.data());
}

volatile std::uint32_t& word_at(std::uintptr_t address) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a register has an address, not an object.
    return *reinterpret_cast<volatile std::uint32_t*>(address);
}

constexpr std::uintptr_t mtime = 0x0200'BFF8;
constexpr std::uintptr_t mtimecmp = 0x0200'4000;
constexpr std::uintptr_t pci_config = 0x3000'0000;
constexpr std::uintptr_t pci_io = 0x0300'0000;
constexpr std::uint32_t pci_serial_id = 0x0002'1B36;  // Red Hat, PCI 16550A

constexpr std::uint32_t unused_stack = 0xA5A5'A5A5;

std::uintptr_t stack_end() {
    return reinterpret_cast<std::uintptr_t>(__stack) -
           reinterpret_cast<std::uintptr_t>(__stack_size);
}

}  // namespace

Instant now() {
    std::uint32_t high = word_at(mtime + 4);
    for (;;) {
        const std::uint32_t low = word_at(mtime);
        const std::uint32_t again = word_at(mtime + 4);
        if (high == again) {
            const std::uint64_t ticks = static_cast<std::uint64_t>(high) << 32 | low;
            return {static_cast<std::int64_t>(ticks / 10)};
        }
        high = again;
    }
}

void rest_until(Instant until) {
    const auto ticks = static_cast<std::uint64_t>(until.us) * 10;
    word_at(mtimecmp + 4) = ~0U;  // not due while only half of it is written
    word_at(mtimecmp) = static_cast<std::uint32_t>(ticks);
    word_at(mtimecmp + 4) = static_cast<std::uint32_t>(ticks >> 32);
    // Interrupts stay off as a whole: the timer's only ends the waiting.
    __asm__ volatile(
        ".option push\n.option arch, +zicsr\n"
        "csrs mie, %0\nwfi\n.option pop\n" ::"r"(0x80)
        : "memory");
}

void paint_stack() {
    std::uintptr_t top = 0;
    __asm__ volatile("mv %0, sp" : "=r"(top));
    for (std::uintptr_t at = stack_end(); at < top; at += sizeof unused_stack) {
        word_at(at) = unused_stack;
    }
}

std::size_t stack_high_water() {
    const auto top = reinterpret_cast<std::uintptr_t>(__stack);
    std::uintptr_t at = stack_end();
    while (at < top && word_at(at) == unused_stack) {
        at += sizeof unused_stack;
    }
    return top - at;
}

Uart16550 first_uart() {
    Uart16550 uart(0x1000'0000);
    uart.open();
    return uart;
}

Result<Uart16550> second_uart() {
    for (std::uint32_t slot = 0; slot < 32; ++slot) {
        const std::uintptr_t config = pci_config + (slot << 15);
        if (word_at(config) != pci_serial_id) {
            continue;
        }
        word_at(config + 0x10) = 0x1000;                        // BAR 0: port 0x1000
        word_at(config + 0x04) = word_at(config + 0x04) | 0x1;  // answer to ports
        Uart16550 uart(pci_io + 0x1000);
        uart.open();
        return uart;
    }
    return JW_FAIL(not_found);
}

Status SemihostFlash::open(const char* path, std::uint32_t blocks) {
    const std::size_t size = std::string_view(path).size();
    blocks_ = blocks;
    file_ = open_file(path, size, 3);  // "r+b"
    if (file_ < 0) {
        file_ = open_file(path, size, 7);  // "w+b"
        if (file_ < 0) {
            return JW_FAIL(not_found);
        }
    }
    // What is missing of the file is factory-new flash.
    const std::array<std::uint32_t, 1> block{static_cast<std::uint32_t>(file_)};
    const std::uint32_t length = semihost(Call::length, block.data());
    std::array<std::uint8_t, 256> blank{};
    blank.fill(0xFF);
    for (std::uint32_t at = length; at < blocks * block_size; at += blank.size()) {
        if (!seek(file_, at) || transfer(Call::write, file_, blank.data(), blank.size()) != 0) {
            return JW_FAIL(internal);
        }
    }
    return done;
}

void SemihostFlash::use_synced(Synced synced, void* context) {
    synced_ = synced;
    context_ = context;
}

Status SemihostFlash::read(std::uint64_t at, MutableBytes out) {
    if (!seek(file_, static_cast<std::uint32_t>(at)) ||
        transfer(Call::read, file_, out.data(), out.size()) != 0) {
        return JW_FAIL(internal);
    }
    return done;
}

Status SemihostFlash::write(std::uint64_t at, Bytes bytes) {
    // As flash does it: a bit that is zero stays zero.
    std::array<std::uint8_t, 64> chunk{};
    for (std::size_t done_bytes = 0; done_bytes < bytes.size(); done_bytes += chunk.size()) {
        const std::size_t size = std::min(chunk.size(), bytes.size() - done_bytes);
        const MutableBytes part = MutableBytes(chunk).first(size);
        JW_TRY(read(at + done_bytes, part));
        for (std::size_t i = 0; i < size; ++i) {
            part[i] = static_cast<std::uint8_t>(part[i] & bytes[done_bytes + i]);
        }
        if (!seek(file_, static_cast<std::uint32_t>(at + done_bytes)) ||
            transfer(Call::write, file_, part.data(), size) != 0) {
            return JW_FAIL(internal);
        }
    }
    return done;
}

Status SemihostFlash::erase(std::uint32_t block) {
    std::array<std::uint8_t, 256> blank{};
    blank.fill(0xFF);
    for (std::uint32_t at = 0; at < block_size; at += blank.size()) {
        if (!seek(file_, block * block_size + at) ||
            transfer(Call::write, file_, blank.data(), blank.size()) != 0) {
            return JW_FAIL(internal);
        }
    }
    return done;
}

void SemihostFlash::sync(SyncTicket ticket) {
    // Flash has no cache: what was written is there.
    if (synced_ != nullptr) {
        synced_(context_, ticket);
    }
}

void log(std::string_view line) {
    std::array<char, 160> buffer{};
    Text text(buffer);
    text.put(line.substr(0, std::min<std::size_t>(line.size(), 150))).put('\0');
    (void)semihost(Call::write0, buffer.data());
}

std::uint64_t fresh() {
    const std::uint32_t seconds = semihost(Call::time, nullptr);
    std::array<std::uint32_t, 2> elapsed{};
    (void)semihost(Call::elapsed, elapsed.data());
    std::uint64_t value = (static_cast<std::uint64_t>(seconds) << 32) ^ elapsed[0] ^
                          (static_cast<std::uint64_t>(elapsed[1]) << 20);
    value ^= static_cast<std::uint64_t>(now().us) * 0x9E37'79B9'7F4A'7C15ULL;
    value ^= value >> 29;
    return value * 0xBF58'476D'1CE4'E5B9ULL;
}

void stop(int code) {
    // ADP_Stopped_ApplicationExit with a code needs the two-word form on 32 bits: exit extended.
    const std::array<std::uint32_t, 2> block{0x20026, static_cast<std::uint32_t>(code)};
    (void)semihost(static_cast<Call>(0x20), block.data());
    for (;;) {
    }
}

}  // namespace jw::board
