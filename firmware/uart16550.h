// SPDX-License-Identifier: Apache-2.0
#pragma once
// A 16550 UART by polling: what QEMU's virt machine and many microcontrollers have.
#include <cstdint>

#include "core/base/ports.h"

namespace jw {

/// Port Bus over a UART. Sending waits for the transmitter (a frame takes milliseconds at most);
/// receiving never waits.
class Uart16550 final : public Bus {
  public:
    explicit Uart16550(std::uintptr_t base) : base_(base) {}
    void open();
    Status send(Bytes bytes) override;
    /// Takes what has arrived, at most out.size() bytes.
    std::size_t receive(MutableBytes out);

  private:
    [[nodiscard]] volatile std::uint8_t& at(std::uintptr_t offset) const {
        // NOLINTNEXTLINE(performance-no-int-to-ptr): a register has an address, not an object.
        return *reinterpret_cast<volatile std::uint8_t*>(base_ + offset);
    }
    std::uintptr_t base_;
};

}  // namespace jw
