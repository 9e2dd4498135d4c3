// SPDX-License-Identifier: Apache-2.0
// Golden vectors in both directions, every truncation of them, every count against every length.
#include "core/codec/modbus.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/base/limits.h"
#include "core/base/test.h"
#include "core/base/text.h"
#include "core/base/vector.h"
#include "generated/vectors/modbus_rtu.h"
#include "generated/vectors/modbus_tcp.h"

using namespace jw;
using namespace jw::modbus;

namespace {

using Byte = std::uint8_t;
using Buffer = std::array<std::uint8_t, 320>;

/// The bytes at the very end of an array, so that a decoder that reads on is seen by ASan.
Bytes at_end(Buffer& buffer, Bytes bytes) {
    const std::size_t start = buffer.size() - bytes.size();
    std::copy(bytes.begin(), bytes.end(), buffer.begin() + static_cast<std::ptrdiff_t>(start));
    return Bytes(buffer).subspan(start);
}

void put_data(Text& out, Bytes data) {
    if (!data.empty()) {
        out.put(" data=");
        for (const std::uint8_t byte : data) {
            out.hex(byte, 2);
        }
    }
}

void put_address(Text& out, std::uint16_t address, std::uint16_t count) {
    out.put(" address=").put(address).put(" count=").put(count);
}

void describe(Text& out, const Request& request) {
    out.put("function=").put(static_cast<int>(request.function));
    if (request.function == Function::read_identification) {
        out.put(" identification=").put(request.identification).put(" object=").put(request.object);
        return;
    }
    put_address(out, request.address, request.count);
    if (request.function == Function::read_write_registers) {
        out.put(" write_address=").put(request.write_address);
    }
    put_data(out, request.data);
}

void describe(Text& out, const Reply& reply) {
    out.put("function=").put(static_cast<int>(reply.function));
    if (reply.exception != Exception::none) {
        out.put(" exception=").put(static_cast<int>(reply.exception));
        return;
    }
    if (reply.function == Function::read_identification) {
        out.put(" identification=").put(reply.identification);
        out.put(" conformity=").put(reply.conformity).put(" more=").put(reply.more_follows ? 1 : 0);
        out.put(" next=").put(reply.next_object).put(" objects=").put(reply.object_count);
    }
    if (reply.count > 0) {
        put_address(out, reply.address, reply.count);
    }
    put_data(out, reply.data);
}

/// The PDU inside a frame of the corpus; framing itself is tested beside bus/modbus_frame.
Bytes pdu_of(const Vector& vector, std::size_t header, std::size_t trailer) {
    return vector.in.subspan(header, vector.in.size() - header - trailer);
}

bool is_request(const Vector& vector) {
    return vector.expected.find(" request") != std::string_view::npos;
}

/// False where the frame already is refused.
bool has_pdu(const Vector& vector) {
    return !vector.expected.ends_with(" frame");
}

bool is_refused(const Vector& vector) {
    return vector.expected.starts_with("error ");
}

template <class Message>
void check_golden(const Vector& vector,
                  Bytes pdu,
                  Result<Message> (*decode)(Bytes),
                  Status (*encode)(Writer&, const Message&)) {
    Buffer buffer{};
    const Result<Message> message = decode(at_end(buffer, pdu));
    std::array<char, 400> line{};
    Text text(line);
    if (message) {
        text.put(' ');
        describe(text, *message);
        std::array<std::uint8_t, limits::modbus_pdu_size_max> again{};
        Writer out(again);
        EXPECT(encode(out, *message));
        EXPECT(equal(out.written(), pdu));
        // One byte of room too few is an error, not an overrun.
        Writer tight(MutableBytes(again).first(pdu.size() - 1));
        EXPECT(encode(tight, *message).code() == Code::full);
    } else {
        text.put("error ").put(code_name(message.code()));
        text.put(is_request(vector) ? " request pdu" : " reply pdu");
    }
    // In front of the meaning stand side, transaction and unit.
    const bool right =
        message ? vector.expected.ends_with(text.view()) : vector.expected == text.view();
    if (!right) {
        std::printf("%s gives %.*s\n", vector.where, static_cast<int>(text.size()), line.data());
    }
    EXPECT(right && message.has_value() == !is_refused(vector));
}

void check_golden(std::span<const Vector> vectors, std::size_t header, std::size_t trailer) {
    for (const Vector& vector : vectors) {
        if (!has_pdu(vector)) {
            continue;
        }
        const Bytes pdu = pdu_of(vector, header, trailer);
        if (is_request(vector)) {
            check_golden<Request>(vector, pdu, &decode_request, &encode_request);
        } else {
            check_golden<Reply>(vector, pdu, &decode_reply, &encode_reply);
        }
    }
}

void check_truncated(std::span<const Vector> vectors, std::size_t header, std::size_t trailer) {
    for (const Vector& vector : vectors) {
        if (is_refused(vector)) {
            continue;
        }
        const Bytes pdu = pdu_of(vector, header, trailer);
        for (std::size_t size = 0; size < pdu.size(); ++size) {
            Buffer buffer{};
            const Bytes front = at_end(buffer, pdu.first(size));
            const Code code =
                is_request(vector) ? decode_request(front).code() : decode_reply(front).code();
            // The objects of an identification reach to the end of the PDU: fewer than announced.
            const bool refused = code == Code::truncated || code == Code::malformed;
            EXPECT(refused);
        }
    }
}

/// A PDU of `size` bytes that begins with `front`.
Bytes filled(Buffer& buffer, Bytes front, std::size_t size) {
    buffer.fill(0);
    const MutableBytes pdu = MutableBytes(buffer).last(size);
    std::copy_n(front.begin(), std::min(front.size(), size), pdu.begin());
    return pdu;
}

}  // namespace

TEST(modbus_vectors_decode_to_their_meaning_and_encode_back) {
    check_golden(vectors::modbus_rtu, 1, 2);
    check_golden(vectors::modbus_tcp, 7, 0);
}

TEST(modbus_truncated_anywhere_is_refused) {
    check_truncated(vectors::modbus_rtu, 1, 2);
    check_truncated(vectors::modbus_tcp, 7, 0);
}

TEST(a_reply_is_taken_only_where_its_byte_count_is_its_length) {
    for (const Byte function : {Byte{1}, Byte{2}, Byte{3}, Byte{4}, Byte{23}}) {
        const bool bits = function < 3;
        for (unsigned count = 0; count < 256; ++count) {
            for (std::size_t size = 0; size <= 300; ++size) {
                Buffer buffer{};
                const std::array front{function, static_cast<std::uint8_t>(count)};
                const auto reply = decode_reply(filled(buffer, front, size));
                const bool right =
                    size == 2 + count && count > 0 && count <= 250 && (bits || count % 2 == 0);
                if (reply.has_value() != right || (right && reply->data.size() != count)) {
                    EXPECT(false);
                    return;
                }
            }
        }
    }
    EXPECT(true);
}

TEST(a_write_is_taken_only_where_its_counts_and_its_length_agree) {
    // `count` is the byte count of the PDU; the register or coil count beside it runs too.
    for (std::size_t size = 0; size <= 300; ++size) {
        for (unsigned bytes = 0; bytes < 256; ++bytes) {
            for (const unsigned things : {bytes / 2, bytes / 2 + 1, bytes * 8, bytes * 8 + 1}) {
                Buffer buffer{};
                const auto high = static_cast<std::uint8_t>(things >> 8);
                const auto low = static_cast<std::uint8_t>(things);
                const auto count = static_cast<std::uint8_t>(bytes);
                const std::array registers{
                    std::uint8_t{16}, std::uint8_t{0}, std::uint8_t{0}, high, low, count};
                const bool fits = size == 6 + bytes && things > 0;
                const bool right = fits && things * 2 == bytes && things <= 123;
                if (decode_request(filled(buffer, registers, size)).has_value() != right) {
                    EXPECT(right);
                    return;
                }
                auto coils = registers;
                coils[0] = 15;
                const bool right_bits = fits && (things + 7) / 8 == bytes && things <= 1968;
                if (decode_request(filled(buffer, coils, size)).has_value() != right_bits) {
                    EXPECT(right_bits);
                    return;
                }
            }
        }
    }
    EXPECT(true);
}

TEST(an_exchange_is_taken_only_where_its_counts_and_its_length_agree) {
    for (std::size_t size = 0; size <= 300; ++size) {
        for (unsigned bytes = 0; bytes < 256; ++bytes) {
            for (const unsigned registers : {bytes / 2, bytes / 2 + 1}) {
                Buffer buffer{};
                const std::array front{std::uint8_t{23},
                                       std::uint8_t{0},
                                       std::uint8_t{0},
                                       std::uint8_t{0},
                                       std::uint8_t{1},
                                       std::uint8_t{0},
                                       std::uint8_t{0},
                                       std::uint8_t{0},
                                       static_cast<std::uint8_t>(registers),
                                       static_cast<std::uint8_t>(bytes)};
                const bool right = size == 10 + bytes && registers > 0 && registers <= 121 &&
                                   registers * 2 == bytes;
                if (decode_request(filled(buffer, front, size)).has_value() != right) {
                    EXPECT(right);
                    return;
                }
            }
        }
    }
    EXPECT(true);
}

TEST(fixed_requests_have_one_length_only) {
    for (const Byte function : {Byte{1}, Byte{2}, Byte{3}, Byte{4}, Byte{5}, Byte{6}, Byte{43}}) {
        const std::array<std::uint8_t, 5> plain{function, 0, 1, 0, 1};
        const std::array<std::uint8_t, 5> coil{function, 0, 1, 0xFF, 0};
        const std::array<std::uint8_t, 4> identification{function, 14, 1, 0};
        const std::size_t exact = function == 43 ? 4 : 5;
        for (std::size_t size = 0; size <= 300; ++size) {
            Buffer buffer{};
            const Bytes front = function == 43  ? Bytes(identification)
                                : function == 5 ? Bytes(coil)
                                                : Bytes(plain);
            EXPECT(decode_request(filled(buffer, front, size)).has_value() == (size == exact));
        }
    }
}

TEST(every_function_code_that_is_not_spoken_is_unsupported) {
    for (unsigned function = 0; function < 256; ++function) {
        const std::array<std::uint8_t, 5> pdu{static_cast<std::uint8_t>(function), 14, 1, 0, 1};
        const bool known = (function >= 1 && function <= 6) || function == 15 || function == 16 ||
                           function == 23 || function == 43;
        EXPECT((decode_request(pdu).code() == Code::unsupported) == !known);
    }
}

TEST(an_exception_is_data_and_not_an_error) {
    const std::array<std::uint8_t, 2> pdu{0x83, 0x06};
    EXPECT(is_exception(pdu));
    EXPECT(exception_code(pdu) == Exception::device_busy);
    EXPECT(decode_reply(pdu)->exception == Exception::device_busy);
    EXPECT(registers_of(pdu, Function::read_holding_registers, 1).code() == Code::denied);
    const std::array<std::uint8_t, 4> answer{0x03, 0x02, 0x00, 0x0A};
    EXPECT(!is_exception(answer));
    EXPECT(exception_code(answer) == Exception::none);
}

TEST(registers_are_given_only_as_many_as_were_asked) {
    const std::array<std::uint8_t, 6> pdu{0x03, 0x04, 0x12, 0x34, 0x56, 0x78};
    const auto registers = registers_of(pdu, Function::read_holding_registers, 2);
    EXPECT(registers && register_at(*registers, 0) == 0x1234);
    EXPECT(registers && register_at(*registers, 1) == 0x5678);
    EXPECT(registers_of(pdu, Function::read_holding_registers, 1).code() == Code::malformed);
    EXPECT(registers_of(pdu, Function::read_holding_registers, 130).code() == Code::malformed);
    EXPECT(registers_of(pdu, Function::read_input_registers, 2).code() == Code::malformed);
    const std::array<std::uint8_t, 6> miscounted{0x03, 0x02, 0x12, 0x34, 0x56, 0x78};
    EXPECT(registers_of(miscounted, Function::read_holding_registers, 2).code() == Code::malformed);
    EXPECT(registers_of({}, Function::read_input_registers, 2).code() == Code::malformed);
}

TEST(coils_are_packed_lowest_bit_first) {
    const std::array<std::uint8_t, 2> coils{0xCD, 0x01};
    EXPECT(coil_at(coils, 0) && !coil_at(coils, 1) && coil_at(coils, 2) && coil_at(coils, 8));
}

TEST(a_reply_must_repeat_what_the_request_said) {
    std::array<std::uint8_t, 16> buffer{};
    Writer out(buffer);
    EXPECT(encode_write_register(out, 7, 0x1234));
    const Request request = *decode_request(out.written());
    Reply reply;
    reply.function = Function::write_register;
    reply.address = 7;
    reply.data = request.data;
    EXPECT(check_reply(reply, request));
    reply.address = 8;
    EXPECT(!check_reply(reply, request));
    const std::array<std::uint8_t, 2> other{0x12, 0x35};
    reply.address = 7;
    reply.data = other;
    EXPECT(!check_reply(reply, request));
    reply.exception = Exception::device_failure;
    EXPECT(check_reply(reply, request));
    reply.function = Function::write_coil;
    EXPECT(!check_reply(reply, request));
}

TEST(a_reply_must_bring_the_count_that_was_asked) {
    struct Pair {
        Function function;
        std::uint16_t count;
        std::size_t right;
    };
    const std::array<std::uint8_t, 8> bytes{};
    for (const Pair& pair : {Pair{Function::read_coils, 9, 2},
                             Pair{Function::read_discrete_inputs, 8, 1},
                             Pair{Function::read_input_registers, 3, 6},
                             Pair{Function::read_write_registers, 1, 2}}) {
        Request request;
        request.function = pair.function;
        request.count = pair.count;
        Reply reply;
        reply.function = pair.function;
        for (std::size_t size = 0; size <= bytes.size(); ++size) {
            reply.data = Bytes(bytes).first(size);
            EXPECT(check_reply(reply, request).has_value() == (size == pair.right));
        }
    }
    Request write;
    write.function = Function::write_registers;
    write.address = 5;
    write.count = 2;
    Reply written;
    written.function = Function::write_registers;
    written.address = 5;
    written.count = 2;
    EXPECT(check_reply(written, write));
    written.count = 1;
    EXPECT(!check_reply(written, write));
}

TEST(a_wrong_question_is_not_written) {
    std::array<std::uint8_t, 300> buffer{};
    Writer out(buffer);
    EXPECT(encode_read(out, Function::read_holding_registers, 0, 126).code() == Code::out_of_range);
    EXPECT(encode_read(out, Function::read_holding_registers, 0xFFFF, 2).code() ==
           Code::out_of_range);
    EXPECT(encode_read(out, Function::write_registers, 0, 1).code() == Code::malformed);
    EXPECT(encode_read(out, Function::none, 0, 1).code() == Code::unsupported);
    EXPECT(out.size() == 0);
    EXPECT(encode_write_coil(out, 172, true));
    const std::array<std::uint8_t, 5> wanted{0x05, 0x00, 0xAC, 0xFF, 0x00};
    EXPECT(equal(out.written(), wanted));
}

TEST(a_server_names_the_reason_of_a_refusal) {
    EXPECT(exception_of(JW_FAIL(unsupported)) == Exception::illegal_function);
    EXPECT(exception_of(JW_FAIL(out_of_range)) == Exception::illegal_value);
    // Also functions that the codec does not know are refused with an exception.
    std::array<std::uint8_t, 4> buffer{};
    Writer out(buffer);
    Reply reply;
    reply.function = static_cast<Function>(0x44);
    reply.exception = Exception::illegal_function;
    EXPECT(encode_reply(out, reply));
    const std::array<std::uint8_t, 2> wanted{0xC4, 0x01};
    EXPECT(equal(out.written(), wanted));
}

TEST(the_texts_of_an_identification_are_given_one_by_one) {
    const std::array<std::uint8_t, 9> objects{0, 3, 'A', 'B', 'C', 1, 1, 'D', 2};
    Reader reader(objects);
    const auto maker = take_object(reader);
    EXPECT(maker && maker->id == 0 && maker->text == "ABC");
    const auto product = take_object(reader);
    EXPECT(product && product->id == 1 && product->text == "D");
    EXPECT(take_object(reader).code() == Code::truncated);
}

TEST(replies_of_functions_that_are_not_spoken_are_unsupported) {
    const std::array<std::uint8_t, 3> pdu{0x44, 1, 0};
    EXPECT(decode_reply(pdu).code() == Code::unsupported);
    std::array<std::uint8_t, 8> buffer{};
    Writer out(buffer);
    EXPECT(encode_reply(out, Reply()).code() == Code::unsupported);
    EXPECT(out.size() == 0);
}

TEST(an_identification_must_be_of_the_kind_that_was_asked) {
    Request request;
    request.function = Function::read_identification;
    request.identification = 2;
    Reply reply;
    reply.function = Function::read_identification;
    reply.identification = 2;
    EXPECT(check_reply(reply, request));
    reply.identification = 1;
    EXPECT(!check_reply(reply, request));
}
