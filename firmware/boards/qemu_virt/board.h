// SPDX-License-Identifier: Apache-2.0
#pragma once
// QEMU's virt machine: two serial lines, a clock, and flash in a file of the host.
#include <cstdint>
#include <string_view>

#include "core/base/ports.h"
#include "core/base/time.h"
#include "firmware/uart16550.h"

namespace jw::board {

/// Time since the machine started (CLINT mtime, 10 MHz).
Instant now();

/// Lets the processor rest until then at the latest.
void rest_until(Instant until);

/// Fills the stack that is not in use with a pattern; at the start of the program.
void paint_stack();
/// Most bytes of stack that were in use since paint_stack().
std::size_t stack_high_water();

/// The UART of the machine (0x1000'0000).
Uart16550 first_uart();
/// The UART behind `-device pci-serial`; its address is given to it here. Errors: not_found.
Result<Uart16550> second_uart();

/// NOR flash: blocks of 4 KiB, an erase sets every byte to 0xFF, a write only clears bits. The
/// bytes lie in a file that outlives the machine; each write is one semihosting call, so that
/// killing the machine cuts between two of them.
class SemihostFlash final : public Storage {
  public:
    /// Called for each answered sync.
    using Synced = void (*)(void* context, SyncTicket ticket);

    Status open(const char* path, std::uint32_t blocks);
    void use_synced(Synced synced, void* context);

    [[nodiscard]] std::uint32_t block_count() const override { return blocks_; }
    [[nodiscard]] bool is_cached() const override { return false; }
    Status read(std::uint64_t at, MutableBytes out) override;
    Status write(std::uint64_t at, Bytes bytes) override;
    Status erase(std::uint32_t block) override;
    void sync(SyncTicket ticket) override;

  private:
    int file_ = -1;
    std::uint32_t blocks_ = 0;
    Synced synced_ = nullptr;
    void* context_ = nullptr;
};

/// Prints a line on the host's console.
void log(std::string_view line);
/// 64 bits that differ from start to start (host's clock; a real board has a generator).
std::uint64_t fresh();
[[noreturn]] void stop(int code);

}  // namespace jw::board
