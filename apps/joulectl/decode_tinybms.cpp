// SPDX-License-Identifier: Apache-2.0
// TinyBMS frames as JSON, both sides of the talk. A frame does not say its side: both are tried,
// the checksum decides, and where both fit, whether the same command was asked just before.
#include <algorithm>
#include <optional>

#include "apps/joulectl/decode.h"
#include "core/device/tinybms/frames.h"
#include "core/device/tinybms/registers.h"

namespace joulectl {
namespace {

using namespace jw;
using tinybms::Command;
using tinybms::Message;
using tinybms::Side;

const char* reason(Code code) {
    switch (code) {
        case Code::truncated:
            return "the input ends inside the frame";
        case Code::bad_checksum:
            return "the CRC behind the frame does not fit it";
        case Code::unsupported:
            return "a command that is not known, or an answer in several packets";
        case Code::out_of_range:
            return "a count or option beyond what the document allows";
        default:
            return "not as a frame is written: AA, command, length, CRC";
    }
}

bool has_words(Command command) {
    switch (command) {
        case Command::read_modbus:
        case Command::read_block:
        case Command::write_block:
        case Command::write_modbus:
        case Command::settings:
            return true;
        default:
            return false;
    }
}

Json words_json(const Message& message) {
    Json list = Json::array();
    for (std::size_t i = 0; i < message.data.size() / 2; ++i) {
        list.push_back(message.word(i));
    }
    return list;
}

/// Addresses alone, or each with its word.
void put_list(Json& frame, const Message& message) {
    const bool with_words = message.data.size() % 4 == 0 &&
                            (message.side == Side::reply || message.command == Command::write_list);
    Json list = Json::array();
    const std::size_t step = with_words ? 2 : 1;
    for (std::size_t i = 0; i < message.data.size() / 2; i += step) {
        if (with_words) {
            list.push_back({{"address", message.word(i)}, {"word", message.word(i + 1)}});
        } else {
            list.push_back(message.word(i));
        }
    }
    frame["registers"] = std::move(list);
}

void put_events(Json& frame, const Message& message) {
    frame["bms_time_s"] = message.word(0) | std::uint32_t{message.word(1)} << 16;
    Json list = Json::array();
    for (std::size_t i = 2; i < message.data.size() / 2; i += 2) {
        const tinybms::Event event = tinybms::event_of(message.word(i), message.word(i + 1));
        const char* name = tinybms::event_name(event.id);
        list.push_back({{"time_s", event.time_s},
                        {"id", event.id},
                        {"event", name == nullptr ? Json() : Json(name)}});
    }
    frame["events"] = std::move(list);
}

void put_temperatures(Json& frame, const Message& message) {
    constexpr const char* names[] = {"internal_degc", "external_1_degc", "external_2_degc"};
    for (std::size_t i = 0; i < std::size(names); ++i) {
        const auto tenths = static_cast<std::int16_t>(message.word(i));
        frame[names[i]] = tenths == -32768 ? Json() : Json(tenths / 10.0);
    }
}

void put_version(Json& frame, Bytes data) {
    Reader in(data);
    frame["hardware"] = in.u8();
    frame["hardware_changes"] = in.u8();
    frame["firmware"] = in.u8();
    frame["firmware_build"] = in.u16_le();
    if (in.remaining() > 0) {
        frame["bootloader"] = in.u8();
        frame["register_map"] = in.u8();
    }
}

void put_number(Json& frame, const Message& message) {
    const auto number = message.number();
    const Json value = number ? Json(*number) : Json();
    switch (message.command) {
        case Command::pack_voltage:
            frame["voltage_mv"] = value;
            break;
        case Command::pack_current:
            frame["current_ma"] = value;
            break;
        case Command::cell_voltage_max:
        case Command::cell_voltage_min:
            frame["voltage_mv"] = value;
            break;
        case Command::lifetime:
            frame["lifetime_s"] = value;
            break;
        case Command::state_of_charge:
            frame["state_of_charge_percent"] = static_cast<double>(number.value_or(0)) / 1e6;
            break;
        default: {
            frame["status"] = value;
            const char* name = tinybms::status_name(number.value_or(0));
            frame["text"] = name == nullptr ? Json() : Json(name);
        }
    }
}

void put_speed(Json& frame, Bytes data) {
    Reader in(data);
    Message speed;
    speed.side = Side::reply;
    speed.command = Command::pack_voltage;  // any float
    speed.data = in.take(4);
    const auto thousandths = speed.number();
    frame["speed_km_h"] = thousandths ? Json(static_cast<double>(*thousandths) / 1000) : Json();
    frame["distance_km"] = in.u32_le();
    frame["time_left_s"] = in.u32_le();
}

void put_reply(Json& frame, const Message& message) {
    switch (message.command) {
        case Command::newest_events:
        case Command::all_events:
            put_events(frame, message);
            break;
        case Command::temperatures:
            put_temperatures(frame, message);
            break;
        case Command::cells: {
            Json list = Json::array();
            for (std::size_t i = 0; i < message.data.size() / 2; ++i) {
                list.push_back(message.word(i) / 10.0);
            }
            frame["cells_mv"] = std::move(list);
            break;
        }
        case Command::version:
        case Command::extended_version:
            put_version(frame, message.data);
            break;
        case Command::speed:
            put_speed(frame, message.data);
            break;
        default:
            put_number(frame, message);
    }
}

Json frame_json(const tinybms::Taken& taken, std::size_t at) {
    const Message& message = taken.message;
    Json frame{{"wire", "tinybms"},
               {"at", at},
               {"size", taken.size},
               {"kind", message.side == Side::request ? "request" : "reply"},
               {"command", static_cast<int>(message.command)},
               {"name", tinybms::name_of(message.command)}};
    if (message.command == Command::accepted || message.command == Command::refused) {
        frame["answers"] = static_cast<int>(message.answers);
        const char* name = tinybms::name_of(message.answers);
        frame["answers_name"] = name == nullptr ? Json() : Json(name);
        if (message.command == Command::refused) {
            frame["reason"] = message.option == 0   ? Json("wrong_command")
                              : message.option == 1 ? Json("wrong_checksum")
                                                    : Json(message.option);
        }
        return frame;
    }
    if (message.option > 0) {
        frame["option"] = message.option;
    }
    if (message.command == Command::write_block ||
        (message.count > 0 && message.command != Command::settings)) {
        frame["address"] = message.address;
    }
    if (message.count > 0) {
        frame["count"] = message.count;
    }
    if (message.command == Command::read_list || message.command == Command::write_list) {
        put_list(frame, message);
    } else if (has_words(message.command)) {
        if (!message.data.empty()) {
            frame["registers"] = words_json(message);
        }
    } else if (message.side == Side::reply) {
        put_reply(frame, message);
    }
    return frame;
}

struct Refusal {
    Code code = Code::malformed;
    std::size_t seen = 0;  // so many bytes were needed to know it
};

/// Why no frame of that side begins there.
Refusal refusal_of(Bytes line, Side side) {
    for (std::size_t size = 1; size <= line.size(); ++size) {
        const auto taken = tinybms::take(line.first(size), side);
        if (taken.code() != Code::truncated) {
            return {taken.code(), size};
        }
    }
    return {Code::truncated, line.size() + 1};
}

/// The likelier of both sides: the one whose frame is as long as the line, else the longer one.
Refusal refusal_of(Bytes line) {
    const Refusal request = refusal_of(line, Side::request);
    const Refusal reply = refusal_of(line, Side::reply);
    if (request.code == Code::out_of_range || request.seen == line.size()) {
        return request;
    }
    return reply.code == Code::out_of_range || reply.seen > request.seen ? reply : request;
}

/// Offset of the byte that the refusal is about, from the first of the frame.
std::size_t offending(const Refusal& refusal) {
    switch (refusal.code) {
        case Code::bad_checksum:
            return refusal.seen - 2;
        case Code::out_of_range:
            return 2;
        default:
            return refusal.seen - 1;
    }
}

class TinybmsDecoder {
  public:
    TinybmsDecoder(const DecodeInput& input, DecodeOut& out) : input_(input), out_(out) {}

    void run() {
        for (std::size_t at = 0; at < input_.bytes.size();) {
            if (const auto taken = take(at)) {
                out_.accepted(frame_json(*taken, at));
                const bool request = taken->message.side == Side::request;
                asked_ = request ? std::optional(taken->message.command) : std::nullopt;
                at += taken->size;
            } else {
                const std::size_t end = line_end(at);
                const Refusal refusal = refusal_of(input_.bytes.subspan(at, end - at));
                out_.refused(refusal.code, at + offending(refusal), at, reason(refusal.code));
                asked_.reset();
                do {
                    ++at;
                } while (at < end && !take(at));
            }
        }
    }

  private:
    /// The frame at an offset. A reply is expected first where its request is still open.
    [[nodiscard]] std::optional<tinybms::Taken> take(std::size_t at) const {
        const Bytes rest = input_.bytes.subspan(at);
        const bool open =
            asked_ && rest.size() > 1 && rest[1] == static_cast<std::uint8_t>(*asked_);
        for (const Side side :
             {open ? Side::reply : Side::request, open ? Side::request : Side::reply}) {
            if (const auto taken = tinybms::take(rest, side)) {
                return *taken;
            }
        }
        return std::nullopt;
    }

    /// Where the next line of hex text begins, or the end.
    [[nodiscard]] std::size_t line_end(std::size_t at) const {
        const auto& lines = input_.line_starts;
        const auto found = std::upper_bound(lines.begin(), lines.end(), at);
        return found == lines.end() ? input_.bytes.size() : *found;
    }

    const DecodeInput& input_;
    DecodeOut& out_;
    std::optional<Command> asked_;
};

}  // namespace

void decode_tinybms(const DecodeInput& input, DecodeOut& out) {
    TinybmsDecoder(input, out).run();
}

}  // namespace joulectl
