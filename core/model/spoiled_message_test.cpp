// SPDX-License-Identifier: Apache-2.0
// What becomes of messages whose bytes were cut or changed on their way.
#include <array>

#include "core/base/cbor.h"
#include "core/base/csv.h"
#include "core/base/json.h"
#include "core/base/test.h"
#include "core/model/command.h"
#include "core/model/device_info.h"
#include "core/model/event.h"
#include "core/model/filled.h"
#include "core/model/reading.h"

using namespace jw;

namespace {

using Buffer = std::array<std::uint8_t, 512>;

template <class M>
Bytes encode(const M& message, Buffer& buffer) {
    Writer out(buffer);
    to_cbor(message, out);
    EXPECT(out.ok());
    return out.written();
}

/// A reader must either refuse the bytes, or understand a message that stays itself from then on.
template <class M>
bool refused_or_whole(Bytes bytes) {
    M message;
    Reader in(bytes);
    if (!from_cbor(in, message)) {
        return true;
    }
    Buffer first{};
    Buffer second{};
    M back;
    const Bytes once = encode(message, first);
    Reader again(once);
    return from_cbor(again, back).has_value() && equal(once, encode(back, second));
}

template <class M>
void spoil_every_byte() {
    Buffer buffer{};
    const std::size_t size = encode(filled<M>(), buffer).size();
    bool holds = true;
    for (std::size_t at = 0; at < size; ++at) {
        const std::uint8_t right = buffer[at];
        for (unsigned wrong = 0; wrong < 256; ++wrong) {
            buffer[at] = static_cast<std::uint8_t>(wrong);
            holds = holds && refused_or_whole<M>(Bytes(buffer).first(size));
        }
        buffer[at] = right;
    }
    EXPECT(holds);
}

template <class M>
void cut_at_every_byte() {
    Buffer buffer{};
    const Bytes whole = encode(filled<M>(), buffer);
    bool all_refused = true;
    for (std::size_t size = 0; size < whole.size(); ++size) {
        M message;
        Reader in(whole.first(size));
        all_refused = all_refused && from_cbor(in, message).code() == Code::truncated;
    }
    EXPECT(all_refused);
}

/// Text of any size of buffer: what does not fit is noticed, and nothing is written behind the end.
template <class M>
void write_into_every_size() {
    std::array<char, 512> buffer{};
    Text whole(buffer);
    to_json(filled<M>(), whole);
    EXPECT(whole.ok());
    bool holds = true;
    for (std::size_t room = 0; room < whole.size(); ++room) {
        std::array<char, 512> small{};
        Text json(std::span<char>(small).first(room));
        to_json(filled<M>(), json);
        Text csv(std::span<char>(small).first(room / 8));
        to_csv(filled<M>(), csv);
        Buffer bytes{};
        Writer cbor(MutableBytes(bytes).first(room / 8));
        to_cbor(filled<M>(), cbor);
        holds = holds && !json.ok() && small[room] == 0 && !csv.ok() && !cbor.ok();
    }
    EXPECT(holds);
}

template <class... M>
struct Messages {
    static void spoil() { (spoil_every_byte<M>(), ...); }
    static void cut() { (cut_at_every_byte<M>(), ...); }
    static void squeeze() { (write_into_every_size<M>(), ...); }
};
using All = Messages<Reading, Event, Fault, Command, CommandResult, DeviceInfo>;

}  // namespace

TEST(a_message_with_any_byte_changed_is_refused_or_is_another_whole_message) {
    All::spoil();
}

TEST(a_message_cut_at_any_byte_is_called_truncated) {
    All::cut();
}

TEST(a_message_that_does_not_fit_is_noticed_and_overruns_nothing) {
    All::squeeze();
}

TEST(a_reading_without_values_has_a_csv_line_and_an_empty_array) {
    Reading reading;
    reading.device = "a,\"b\"";
    std::array<char, 128> buffer{};
    Text out(buffer);
    to_csv(reading, out);
    EXPECT(out.view() == "\"a,\"\"b\"\"\",,\r\n");
    reading.from_seq = 7;
    out.clear();
    to_csv(reading, out);
    EXPECT(out.view() == "\"a,\"\"b\"\"\",7,\r\n");
}

TEST(values_of_a_reading_with_wrong_numbers_are_refused) {
    const auto code = [](std::initializer_list<std::uint8_t> bytes) {
        Values values;
        Reader in(Bytes(bytes.begin(), bytes.size()));
        return values.from_cbor(in).code();
    };
    EXPECT(code({0x83, 0x01, 0x00, 0x05}) == Code::ok);
    EXPECT(code({0x82, 0x01, 0x00}) == Code::malformed);                 // not in threes
    EXPECT(code({0x03}) == Code::malformed);                             // no array
    EXPECT(code({0x99, 0x03, 0x00}) == Code::out_of_range);              // 256 values
    EXPECT(code({0x83, 0x1A, 0, 1, 0, 0, 0, 0}) == Code::out_of_range);  // quantity 65 536
    EXPECT(code({0x83, 0x01, 0x19, 1, 0, 0}) == Code::out_of_range);     // index 256
    EXPECT(code({0x83, 0x20, 0x00, 0x05}) == Code::malformed);           // quantity -1
    EXPECT(code({0x83, 0x01, 0x20, 0x05}) == Code::malformed);           // index -1
    EXPECT(code({0x83, 0x01, 0x00, 0x60}) == Code::malformed);           // number is text
}
