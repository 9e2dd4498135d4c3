// SPDX-License-Identifier: Apache-2.0
// One table says how each command looks in each direction; reading and writing follow it.
#include "core/device/tinybms/frames.h"

#include <algorithm>

#include "core/base/crc.h"
#include "core/base/float_bits.h"

namespace jw::tinybms {
namespace {

constexpr std::uint8_t start = 0xAA;
constexpr std::size_t crc_size = 2;
/// Set in the length of an answer that continues in another packet; we ask for less than that.
constexpr std::uint8_t more_follows = 0x80;

/// What stands between the command and the data.
enum class Head : std::uint8_t {
    none,
    option,         // option
    answers,        // the command answered
    refuses,        // the command refused, why
    block,          // count, address (low byte first)
    modbus,         // address, count (high byte first)
    settings,       // option, 0, count
    write_address,  // address behind the length; see Message::length_with_address
};

struct Layout {
    Command command;
    Side side;
    Head head;
    std::uint8_t count_max;  // of Message::count
    bool counted;            // a length byte stands in front of the data
    std::uint8_t least;      // size of the data
    std::uint8_t most;
    std::uint8_t step;
};

using C = Command;
constexpr Side ask = Side::request;
constexpr Side answer = Side::reply;

constexpr Layout layouts[] = {
    {C::refused, answer, Head::refuses, 0, false, 0, 0, 1},
    {C::accepted, answer, Head::answers, 0, false, 0, 0, 1},
    {C::reset, ask, Head::option, 0, false, 0, 0, 1},
    {C::read_modbus, ask, Head::modbus, 127, false, 0, 0, 1},
    {C::read_modbus, answer, Head::none, 0, true, 2, 254, 2},
    {C::read_block, ask, Head::block, 31, false, 0, 0, 1},
    {C::read_block, answer, Head::none, 0, true, 2, 62, 2},
    {C::read_list, ask, Head::none, 0, true, 2, 30, 2},
    {C::read_list, answer, Head::none, 0, true, 4, 60, 4},
    {C::write_block, ask, Head::write_address, 0, true, 2, 60, 2},
    {C::write_list, ask, Head::none, 0, true, 4, 60, 4},
    {C::write_modbus, ask, Head::modbus, 100, true, 2, 200, 2},
    {C::write_modbus, answer, Head::modbus, 100, false, 0, 0, 1},
    {C::newest_events, ask, Head::none, 0, false, 0, 0, 1},
    {C::newest_events, answer, Head::none, 0, true, 4, 252, 4},
    {C::all_events, ask, Head::none, 0, false, 0, 0, 1},
    {C::all_events, answer, Head::none, 0, true, 4, 252, 4},
    {C::pack_voltage, ask, Head::none, 0, false, 0, 0, 1},
    {C::pack_voltage, answer, Head::none, 0, false, 4, 4, 4},
    {C::pack_current, ask, Head::none, 0, false, 0, 0, 1},
    {C::pack_current, answer, Head::none, 0, false, 4, 4, 4},
    {C::cell_voltage_max, ask, Head::none, 0, false, 0, 0, 1},
    {C::cell_voltage_max, answer, Head::none, 0, false, 2, 2, 2},
    {C::cell_voltage_min, ask, Head::none, 0, false, 0, 0, 1},
    {C::cell_voltage_min, answer, Head::none, 0, false, 2, 2, 2},
    {C::status, ask, Head::none, 0, false, 0, 0, 1},
    {C::status, answer, Head::none, 0, false, 2, 2, 2},
    {C::lifetime, ask, Head::none, 0, false, 0, 0, 1},
    {C::lifetime, answer, Head::none, 0, false, 4, 4, 4},
    {C::state_of_charge, ask, Head::none, 0, false, 0, 0, 1},
    {C::state_of_charge, answer, Head::none, 0, false, 4, 4, 4},
    {C::temperatures, ask, Head::none, 0, false, 0, 0, 1},
    {C::temperatures, answer, Head::none, 0, true, 6, 6, 6},
    {C::cells, ask, Head::none, 0, false, 0, 0, 1},
    {C::cells, answer, Head::none, 0, true, 2, 32, 2},
    {C::settings, ask, Head::settings, 100, false, 0, 0, 1},
    {C::settings, answer, Head::none, 0, true, 2, 200, 2},
    {C::version, ask, Head::none, 0, false, 0, 0, 1},
    {C::version, answer, Head::none, 0, true, 5, 5, 5},
    {C::extended_version, ask, Head::none, 0, false, 0, 0, 1},
    {C::extended_version, answer, Head::none, 0, true, 7, 7, 7},
    {C::speed, ask, Head::none, 0, false, 0, 0, 1},
    {C::speed, answer, Head::none, 0, false, 12, 12, 12},
};

constexpr struct {
    Command command;
    const char* name;
} names[] = {
    {C::refused, "refused"},
    {C::accepted, "accepted"},
    {C::reset, "reset"},
    {C::read_modbus, "read_modbus"},
    {C::read_block, "read_block"},
    {C::read_list, "read_list"},
    {C::write_block, "write_block"},
    {C::write_list, "write_list"},
    {C::write_modbus, "write_modbus"},
    {C::newest_events, "newest_events"},
    {C::all_events, "all_events"},
    {C::pack_voltage, "pack_voltage"},
    {C::pack_current, "pack_current"},
    {C::cell_voltage_max, "cell_voltage_max"},
    {C::cell_voltage_min, "cell_voltage_min"},
    {C::status, "status"},
    {C::lifetime, "lifetime"},
    {C::state_of_charge, "state_of_charge"},
    {C::temperatures, "temperatures"},
    {C::cells, "cells"},
    {C::settings, "settings"},
    {C::version, "version"},
    {C::extended_version, "extended_version"},
    {C::speed, "speed"},
};

const Layout* layout_of(Command command, Side side) {
    const auto* found =
        std::find_if(std::begin(layouts), std::end(layouts), [command, side](const Layout& layout) {
            return layout.command == command && layout.side == side;
        });
    return found == std::end(layouts) ? nullptr : found;
}

bool fits(const Layout& layout, std::size_t data_size) {
    return data_size >= layout.least && data_size <= layout.most && data_size % layout.step == 0;
}

/// Counts and options within what the document allows.
Status check(const Layout& layout, const Message& message) {
    if (layout.count_max > 0 && (message.count == 0 || message.count > layout.count_max)) {
        return JW_FAIL(out_of_range);
    }
    if (layout.head == Head::modbus && layout.counted &&
        message.data.size() != std::size_t{message.count} * 2) {
        return JW_FAIL(malformed);
    }
    if (layout.head == Head::settings && (message.option < 1 || message.option > 4)) {
        return JW_FAIL(out_of_range);
    }
    const bool resets = message.option == 1 || message.option == 2 || message.option == 5;
    if (layout.command == Command::reset && !resets) {
        return JW_FAIL(out_of_range);
    }
    return done;
}

void read_head(Head head, Reader& in, Message& message) {
    switch (head) {
        case Head::option:
            message.option = in.u8();
            break;
        case Head::answers:
            message.answers = static_cast<Command>(in.u8());
            break;
        case Head::refuses:
            message.answers = static_cast<Command>(in.u8());
            message.option = in.u8();
            break;
        case Head::block:
            message.count = in.u8();
            message.address = in.u16_le();
            break;
        case Head::modbus:
            message.address = in.u16_be();
            message.count = in.u16_be();
            break;
        case Head::settings:
            message.option = in.u8();
            message.count = in.u16_be();
            break;
        case Head::none:
        case Head::write_address:
            break;
    }
}

void write_head(Head head, Writer& out, const Message& message) {
    switch (head) {
        case Head::option:
            out.u8(message.option);
            break;
        case Head::answers:
            out.u8(static_cast<std::uint8_t>(message.answers));
            break;
        case Head::refuses:
            out.u8(static_cast<std::uint8_t>(message.answers)).u8(message.option);
            break;
        case Head::block:
            out.u8(static_cast<std::uint8_t>(message.count)).u16_le(message.address);
            break;
        case Head::modbus:
            out.u16_be(message.address).u16_be(message.count);
            break;
        case Head::settings:
            out.u8(message.option).u16_be(message.count);
            break;
        case Head::none:
        case Head::write_address:
            break;
    }
}

/// Reads the checksum that stands there and ends the frame with it. Errors: truncated,
/// bad_checksum.
Result<Taken> end(Bytes stream, std::size_t sum_at, const Message& message) {
    const std::size_t size = sum_at + crc_size;
    if (stream.size() < size) {
        return JW_FAIL(truncated);
    }
    // Over the sum itself the remainder of a correct frame is zero.
    if (crc16_modbus(stream.first(size)) != 0) {
        return JW_FAIL(bad_checksum);
    }
    return Taken{message, size};
}

Result<Taken> take_write_block(const Layout& layout, Bytes stream, Message message) {
    Reader in(stream);
    in.skip(2);
    const std::size_t length = in.u8();
    message.address = in.u16_le();
    if (!in.ok()) {
        return JW_FAIL(truncated);
    }
    const std::size_t data_at = in.position();
    const bool with_address = length >= 2 && fits(layout, length - 2);
    if (with_address && stream.size() >= data_at + length - 2) {
        message.data = stream.subspan(data_at, length - 2);
        message.length_with_address = true;
        if (auto taken = end(stream, data_at + length - 2, message)) {
            return taken;
        }
    }
    if (!fits(layout, length)) {
        return with_address ? end(stream, data_at + length - 2, message)
                            : Result<Taken>(JW_FAIL(malformed));
    }
    if (stream.size() < data_at + length) {
        return JW_FAIL(truncated);
    }
    message.data = stream.subspan(data_at, length);
    message.length_with_address = false;
    return end(stream, data_at + length, message);
}

}  // namespace

const char* name_of(Command command) {
    for (const auto& row : names) {
        if (row.command == command) {
            return row.name;
        }
    }
    return nullptr;
}

std::uint16_t Message::word(std::size_t index) const {
    const std::uint8_t first = data[2 * index];
    const std::uint8_t second = data[2 * index + 1];
    const bool big = command == Command::read_modbus || command == Command::write_modbus;
    return static_cast<std::uint16_t>(big ? first << 8 | second : second << 8 | first);
}

std::optional<std::int64_t> Message::number() const {
    if (side != Side::reply) {
        return std::nullopt;
    }
    Reader in(data);
    switch (command) {
        case Command::pack_voltage:
        case Command::pack_current:
            return scaled_f32(in.u32_le(), 1000, 1);
        case Command::cell_voltage_max:
        case Command::cell_voltage_min:
        case Command::status:
            return in.u16_le();
        case Command::lifetime:
        case Command::state_of_charge:
            return in.u32_le();
        default:
            return std::nullopt;
    }
}

Result<Taken> take(Bytes stream, Side side) {
    Reader in(stream);
    const std::uint8_t first = in.u8();
    if (in.ok() && first != start) {
        return JW_FAIL(malformed);
    }
    Message message;
    message.side = side;
    message.command = static_cast<Command>(in.u8());
    if (!in.ok()) {
        return JW_FAIL(truncated);
    }
    const Layout* layout = layout_of(message.command, side);
    if (layout == nullptr) {
        return JW_FAIL(unsupported);
    }
    if (layout->head == Head::write_address) {
        return take_write_block(*layout, stream, message);
    }
    read_head(layout->head, in, message);
    std::size_t data_size = layout->least;
    if (layout->counted) {
        data_size = in.u8();
        const bool own_read =
            message.command == Command::read_block || message.command == Command::read_list;
        if (in.ok() && own_read && side == Side::reply && (data_size & more_follows) != 0) {
            return JW_FAIL(unsupported);
        }
        // A wrong length shows as soon as it is there.
        if (in.ok() && !fits(*layout, data_size)) {
            return JW_FAIL(malformed);
        }
    }
    message.data = in.take(data_size);
    if (!in.ok()) {
        return JW_FAIL(truncated);
    }
    const auto taken = end(stream, in.position(), message);
    if (taken) {
        JW_TRY(check(*layout, message));
    }
    return taken;
}

Status put(Writer& out, const Message& message) {
    const Layout* layout = layout_of(message.command, message.side);
    if (layout == nullptr) {
        return JW_FAIL(unsupported);
    }
    if (!fits(*layout, message.data.size())) {
        return JW_FAIL(malformed);
    }
    JW_TRY(check(*layout, message));
    const std::size_t from = out.size();
    out.u8(start).u8(static_cast<std::uint8_t>(message.command));
    write_head(layout->head, out, message);
    if (layout->counted) {
        const std::size_t more = message.length_with_address ? 2 : 0;
        out.u8(static_cast<std::uint8_t>(message.data.size() + more));
    }
    if (layout->head == Head::write_address) {
        out.u16_le(message.address);
    }
    out.put(message.data);
    if (out.ok()) {
        out.u16_le(crc16_modbus(out.written().subspan(from)));
    }
    return out.ok() ? Status(done) : Status(JW_FAIL(full));
}

std::size_t Receiver::put(Bytes bytes) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(from_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(size_),
              buffer_.begin());
    size_ -= from_;
    from_ = 0;
    const std::size_t count = std::min(bytes.size(), buffer_.size() - size_);
    std::copy_n(bytes.begin(), count, buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += count;
    silent_ = silent_ && count == 0;
    return count;
}

std::optional<Message> Receiver::next() {
    while (from_ < size_) {
        const auto taken = take(Bytes(buffer_).subspan(from_, size_ - from_), side_);
        if (taken) {
            from_ += taken->size;
            return taken->message;
        }
        if (taken.code() == Code::truncated && !silent_) {
            break;
        }
        if (taken.code() == Code::bad_checksum) {
            ++wrong_checksums_;
        }
        ++from_;
        ++dropped_;
    }
    return std::nullopt;
}

}  // namespace jw::tinybms
