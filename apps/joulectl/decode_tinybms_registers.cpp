// SPDX-License-Identifier: Apache-2.0
// Register dumps of a TinyBMS as JSON: one object for each line about a register, and the value
// where the words of the whole register are there.
#include <algorithm>
#include <array>
#include <optional>

#include "apps/joulectl/decode.h"
#include "apps/joulectl/input.h"
#include "apps/joulectl/subcommands.h"
#include "core/base/float_bits.h"
#include "core/device/tinybms/dump.h"
#include "core/device/tinybms/registers.h"

namespace joulectl {
namespace {

using namespace jw;
using tinybms::Place;
using tinybms::Type;

Json number_json(std::int64_t number, unsigned decimals) {
    if (decimals == 0) {
        return number;
    }
    return static_cast<double>(number) / static_cast<double>(power_of_ten(decimals));
}

void put_value(Json& frame, const Place& place, std::span<const std::uint16_t> words) {
    const tinybms::Register& what = *place.what;
    if (what.type == Type::event) {
        const tinybms::Event event = tinybms::event_of(words[0], words[1]);
        const char* name = tinybms::event_name(event.id);
        frame["value"] = event.id == 0 ? Json() : Json{{"time_s", event.time_s}, {"id", event.id}};
        frame["text"] = name == nullptr ? Json() : Json(name);
        return;
    }
    if (what.type == Type::serial) {
        std::array<char, 24> room{};
        Text text(room);
        tinybms::put_serial(words.first<6>(), text);
        frame["value"] = std::string(text.view());
        return;
    }
    const auto value = tinybms::value_of(what, words);
    if (!value) {
        frame["value"] = nullptr;
    } else if (value->high) {
        frame["value"] = {{"low", value->number}, {"high", *value->high}};
    } else {
        frame["value"] = number_json(value->number, what.decimals);
    }
    if (what.unit[0] != '\0') {
        frame["unit"] = what.unit;
    }
    if (what.type == Type::status) {
        const char* name = tinybms::status_name(words[0]);
        frame["text"] = name == nullptr ? Json() : Json(name);
    }
}

Json register_json(std::size_t at, std::uint16_t address, std::span<const std::uint16_t> words) {
    Json list = Json::array();
    for (const std::uint16_t word : words) {
        list.push_back(word);
    }
    Json frame{{"wire", "tinybms-registers"}, {"at", at}, {"register", address}};
    const auto place = tinybms::place_of(address);
    if (place) {
        std::array<char, 64> room{};
        Text name(room);
        tinybms::put_name(*place, name);
        frame["name"] = std::string(name.view());
    }
    frame["known"] = place.has_value();
    frame["words"] = std::move(list);
    return frame;
}

/// Takes the lines of a dump. Registers of several words may stand on one line or on one line each.
class DumpDecoder {
  public:
    explicit DumpDecoder(DecodeOut& out) : out_(out) {}

    void line(std::size_t at, std::string_view text) {
        const auto parsed = tinybms::parse_dump_line(text);
        if (!parsed) {
            count_ = 0;
            out_.refused(
                parsed.code(), at, at, "not as a register is dumped: Register 36: HEX=1eb8_425f");
        } else if (*parsed && (*parsed)->failed) {
            count_ = 0;
            out_.refused(Code::not_found,
                         at,
                         at,
                         "register " + std::to_string((*parsed)->address) + " was not read");
        } else if (*parsed) {
            read(at, **parsed);
        }
    }

  private:
    void read(std::size_t at, const tinybms::DumpLine& line) {
        Json frame = register_json(at, line.address, line.all());
        const auto place = tinybms::place_of(line.address);
        const unsigned whole = place ? tinybms::words_of(place->what->type) : 0;
        // The words before this one stood on the lines before, without a gap.
        const bool goes_on =
            count_ > 0 && line.address == first_ + count_ && place && place->word == count_;
        if (!goes_on) {
            count_ = 0;
            first_ = line.address;
        }
        if (!place || place->word != count_ || count_ + line.count > whole) {
            count_ = 0;
            if (place && line.count > whole) {
                out_.refused(Code::malformed, at, at, "more words than the register has");
                return;
            }
        } else {
            std::copy(line.words.begin(), line.words.begin() + line.count, words_.begin() + count_);
            count_ += line.count;
            if (count_ == whole) {
                put_value(frame, *place, std::span(words_).first(whole));
                count_ = 0;
            }
        }
        out_.accepted(frame);
    }

    DecodeOut& out_;
    std::uint16_t first_ = 0;  // address of words_[0]
    unsigned count_ = 0;       // words of a register that is not whole yet
    std::array<std::uint16_t, tinybms::register_words_max> words_{};
};

/// Every register that lies in the image as a whole.
void decode_image(const RegisterImage& image, DecodeOut& out) {
    const std::span<const std::uint16_t> all(image.registers);
    for (std::size_t at = 0; at < all.size();) {
        const std::size_t address = image.base + at;
        const auto place = address <= 0xFFFF
                               ? tinybms::place_of(static_cast<std::uint16_t>(address))
                               : std::nullopt;
        const std::size_t whole = place ? tinybms::words_of(place->what->type) : 1;
        if (!place || place->word != 0 || whole > all.size() - at) {
            ++at;
            continue;
        }
        const auto words = all.subspan(at, whole);
        Json frame = register_json(at, static_cast<std::uint16_t>(address), words);
        put_value(frame, *place, words);
        out.accepted(frame);
        at += whole;
    }
}

}  // namespace

void decode_tinybms_registers(const DecodeInput& input, DecodeOut& out) {
    const std::string_view text = as_text(input.bytes);
    if (text.starts_with('{')) {
        try {
            decode_image(read_image(std::string(text), "image"), out);
        } catch (const UsageError& error) {
            out.refused(Code::malformed, 0, 0, error.what());
        }
        return;
    }
    DumpDecoder decoder(out);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        decoder.line(at, text.substr(at, end - at));
        at = end + 1;
    }
}

}  // namespace joulectl
