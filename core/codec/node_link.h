// SPDX-License-Identifier: Apache-2.0
#pragma once
// node_link: the frames between a node and its gateway on a serial line. HDLC-like framing
// (RFC 1662, 4: flag 7E, escape 7D, CRC-16/X-25 low byte first) around a type byte and CBOR.
// docs/formats/node-link.md has a worked example.
#include <array>
#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/ports.h"
#include "core/base/result.h"

namespace jw::node_link {

enum class FrameType : std::uint8_t {
    batch = 1,        // node to gateway: the node's boot (u32), ms since it (u64), a CBOR batch
    acknowledge = 2,  // gateway to node: epoch (u64), class (u8), seq (u64): everything up to it
};

inline constexpr std::uint8_t flag = 0x7E;
inline constexpr std::uint8_t escape = 0x7D;

struct Acknowledge {
    std::uint64_t epoch = 0;
    std::uint8_t record_class = 0;
    std::uint64_t seq = 0;
};

inline constexpr std::size_t batch_head_size = 12;

/// Writes a whole frame with flags, escapes and checksum in one go; the body is given in two parts
/// so that a batch need not be copied to stand behind its head.
Status encode(FrameType type, Bytes head, Bytes body, Writer& out);
/// The same piece by piece onto a bus, for who has no room for a whole frame. Errors: those of the
/// bus; then the far side drops what it got.
Status send(FrameType type, Bytes head, Bytes body, Bus& bus);
Status encode(const Acknowledge& acknowledge, Writer& out);
Result<Acknowledge> decode_acknowledge(Bytes body);

struct Frame {
    FrameType type = FrameType::batch;
    Bytes body;
};

/// Cuts a stream into frames, in a buffer that the caller owns. Frames that are too long or damaged
/// are dropped and counted.
class Receiver {
  public:
    explicit Receiver(MutableBytes buffer) : buffer_(buffer) {}
    /// Takes one byte; gives the frame that it ended. The body is valid until the next byte.
    std::optional<Frame> take(std::uint8_t byte);
    [[nodiscard]] std::uint32_t damaged() const { return damaged_; }

  private:
    MutableBytes buffer_;
    std::size_t size_ = 0;
    bool escaped_ = false;
    bool overrun_ = false;
    std::uint32_t damaged_ = 0;
};

}  // namespace jw::node_link
