// SPDX-License-Identifier: Apache-2.0
// P1 telegrams as JSON: identity, values in our quantities, and every row as it was sent.
#include <algorithm>
#include <array>
#include <cstdio>

#include "apps/joulectl/decode.h"
#include "core/codec/p1.h"
#include "core/device/p1/p1_reading.h"

namespace joulectl {
namespace {

using namespace jw;

std::string iso_time(const p1::Timestamp& time) {
    std::array<char, 40> text{};
    std::snprintf(text.data(),
                  text.size(),
                  "%04u-%02u-%02uT%02u:%02u:%02u",
                  unsigned{time.year},
                  unsigned{time.month},
                  unsigned{time.day},
                  unsigned{time.hour},
                  unsigned{time.minute},
                  unsigned{time.second});
    return text.data();
}

/// A group as it says what it is: a time, a number with unit, or text.
Json group_json(std::string_view group) {
    if (const auto time = p1::parse_timestamp(group); time && group.size() == 13) {
        return {{"time", iso_time(*time)}, {"summer", time->season == 'S'}};
    }
    const auto number = p1::parse_decimal(group);
    if (number && !number->unit.empty()) {
        const std::string_view digits = group.substr(0, group.find('*'));
        return {{"number", std::string(digits)}, {"unit", std::string(number->unit)}};
    }
    return std::string(group);
}

Json rows_json(std::string_view telegram) {
    Json list = Json::array();
    p1::Rows rows(telegram);
    while (const auto row = rows.next()) {
        std::array<char, 24> name{};
        std::snprintf(name.data(),
                      name.size(),
                      "%u-%u:%u.%u.%u",
                      unsigned{row->obis.a},
                      unsigned{row->obis.b},
                      unsigned{row->obis.c},
                      unsigned{row->obis.d},
                      unsigned{row->obis.e});
        Json groups = Json::array();
        for (std::size_t i = 0; i < row->count(); ++i) {
            groups.push_back(group_json(row->group(i)));
        }
        list.push_back({{"obis", name.data()}, {"groups", std::move(groups)}});
    }
    return list;
}

void put_label(Json& frame, const char* name, const Label& label) {
    if (!label.empty()) {
        frame[name] = std::string(label.view());
    }
}

Json telegram_json(const p1::Received& received, std::size_t from, const Values& values) {
    Json frame{{"wire", "p1"},
               {"at", from},
               {"size", received.telegram.size()},
               {"checked", received.checked}};
    const DeviceInfo info = p1::describe(received.telegram);
    frame["id"] = std::string(p1::Rows(received.telegram).identification());
    put_label(frame, "maker", info.maker);
    put_label(frame, "model", info.model);
    put_label(frame, "version", info.version);
    put_label(frame, "serial", info.serial);
    Json named = Json::object();
    for (const Value& value : values) {
        std::array<char, 64> room{};
        Text name(room);
        put_name(value.quantity, value.index, name);
        named[std::string(name.view())] = value.number;
    }
    frame["values"] = std::move(named);
    frame["rows"] = rows_json(received.telegram);
    return frame;
}

std::string reason(const p1::Received& received) {
    switch (received.code) {
        case Code::bad_checksum:
            return "the CRC behind '!' does not fit the telegram";
        case Code::full:
            return "longer than a telegram can be";
        case Code::truncated:
            return "the input ends inside the telegram";
        default:
            return "not as a telegram is written: '/' to '!' at the start of a line, CRC, CRLF";
    }
}

/// Text that went through an editor has lost its carriage returns, which the CRC counts.
std::vector<std::uint8_t> with_carriage_returns(Bytes bytes) {
    std::vector<std::uint8_t> result;
    for (const std::uint8_t byte : bytes) {
        if (byte == '\n') {
            result.push_back('\r');
        }
        result.push_back(byte);
    }
    return result;
}

class P1Decoder {
  public:
    P1Decoder(const DecodeInput& input, DecodeOut& out) : out_(out), bytes_(input.bytes) {
        if (input.text && as_text(bytes_).find('\r') == std::string_view::npos) {
            repaired_ = with_carriage_returns(bytes_);
            bytes_ = repaired_;
        }
    }

    void run() {
        std::vector<std::uint8_t> buffer(16'384);
        p1::Receiver receiver(buffer);
        bool inside = false;
        for (std::size_t i = 0; i < bytes_.size(); ++i) {
            const auto ended = receiver.put(bytes_[i]);
            if (ended) {
                take(*ended);
                inside = false;
                idle_from_ = i + 1;
            }
            if (bytes_[i] == '/') {
                if (!inside && !ended) {
                    take_idle(i);
                }
                inside = true;
                from_ = i;
            }
        }
        if (const auto cut = receiver.finish()) {
            take(*cut);
        } else {
            take_idle(bytes_.size());
        }
    }

  private:
    /// Where a byte stood in the input.
    [[nodiscard]] std::size_t place(std::size_t at) const {
        if (repaired_.empty()) {
            return at;
        }
        const auto end = repaired_.begin() + static_cast<std::ptrdiff_t>(at);
        return at - static_cast<std::size_t>(std::count(repaired_.begin(), end, '\r'));
    }

    void refuse(Code code, std::size_t at, std::size_t from, const std::string& text) {
        refused_ = true;
        out_.refused(code, place(at), place(from), text);
    }

    void take(const p1::Received& received) {
        refused_ = false;
        if (received.code != Code::ok) {
            refuse(received.code, from_ + received.at, from_, reason(received));
            return;
        }
        Values values;
        if (!p1::read_values(received.telegram, 1, values)) {
            p1::Rows rows(received.telegram);
            while (rows.next()) {
            }
            refuse(Code::malformed,
                   from_ + rows.position(),
                   from_,
                   "not as a row is written: A-B:C.D.E, groups in parentheses, CRLF");
            return;
        }
        out_.accepted(telegram_json(received, place(from_), values));
    }

    /// Bytes between telegrams are noise, unless they hold the end of one.
    void take_idle(std::size_t end) {
        const std::string_view idle = as_text(bytes_.subspan(idle_from_, end - idle_from_));
        const bool has_end = idle.starts_with('!') || idle.find("\n!") != std::string_view::npos;
        if (has_end && !refused_) {  // behind a refused telegram it is the rest of that one
            refuse(Code::malformed, idle_from_, idle_from_, "a telegram without its '/'");
        }
    }

    DecodeOut& out_;
    Bytes bytes_;
    std::vector<std::uint8_t> repaired_;
    std::size_t from_ = 0;
    std::size_t idle_from_ = 0;
    bool refused_ = false;  // the telegram before
};

}  // namespace

void decode_p1(const DecodeInput& input, DecodeOut& out) {
    P1Decoder(input, out).run();
}

}  // namespace joulectl
