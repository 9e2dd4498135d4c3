// SPDX-License-Identifier: Apache-2.0
#include "core/trust/command_signature.h"

#include "core/base/crc.h"
#include "core/base/test.h"

using namespace jw;

namespace {

// A stand-in that binds key and message as a real one does; the real ones are tested in host/.
std::uint32_t mix(Bytes key, Bytes message) {
    return crc32c(message, crc32c(key));
}
bool matches(Bytes key, Bytes message, Bytes code) {
    Reader in(code);
    return in.u32_be() == mix(key, message);
}
constexpr Cryptography fake{&matches, &matches};

std::array<std::uint8_t, 64> sign(std::string_view gateway, const Command& c, const Issuer& by) {
    std::array<std::uint8_t, signed_command_size_max> buffer{};
    const auto size = signed_bytes(gateway, c, buffer);
    EXPECT(size.has_value());
    std::array<std::uint8_t, 64> code{};
    Writer out(code);
    const bool has_public_key = by.method == SignatureMethod::ed25519;
    const Bytes key = Bytes(by.key).first(has_public_key ? 32 : by.key.size());
    out.u32_be(mix(key, Bytes(buffer).first(*size)));
    return code;
}

Command command() {
    Command c;
    c.id = "a-1";
    c.issuer = "operator";
    c.target = "demo";
    c.expiry_ms = 1'790'000'060'000;
    c.counter = 4;
    c.quantity = "relay_closed";
    c.value = 1;
    return c;
}

}  // namespace

TEST(a_signature_holds_for_this_command_at_this_gateway_only) {
    const Issuer issuer{"operator", SignatureMethod::ed25519, {1, 2, 3}};
    const std::span<const Issuer> issuers(&issuer, 1);
    const Command good = command();
    const auto code = sign("gw-1", good, issuer);
    EXPECT(check_signature("gw-1", good, code, issuers, fake).has_value());
    EXPECT(check_signature("gw-2", good, code, issuers, fake).code() == Code::denied);
    Command other = good;
    other.value = 0;
    EXPECT(check_signature("gw-1", other, code, issuers, fake).code() == Code::denied);
    other = good;
    other.counter = 5;
    EXPECT(check_signature("gw-1", other, code, issuers, fake).code() == Code::denied);
}

TEST(a_missing_signature_an_unknown_issuer_and_an_empty_issuer_are_denied) {
    const Issuer issuer{"operator", SignatureMethod::hmac_sha256, {9}};
    const std::span<const Issuer> issuers(&issuer, 1);
    Command c = command();
    const auto code = sign("gw-1", c, issuer);
    EXPECT(check_signature("gw-1", c, Bytes(code).first(32), issuers, fake).has_value());
    EXPECT(check_signature("gw-1", c, {}, issuers, fake).code() == Code::denied);
    EXPECT(check_signature("gw-1", c, code, issuers, fake).code() == Code::denied);  // 64 bytes
    c.issuer = "stranger";
    EXPECT(check_signature("gw-1", c, Bytes(code).first(32), issuers, fake).code() == Code::denied);
    const Issuer nameless{"", SignatureMethod::none, {}};
    c.issuer = "";
    EXPECT(check_signature("gw-1", c, {}, {&nameless, 1}, fake).code() == Code::denied);
}

TEST(a_secret_counts_to_its_last_byte) {
    Issuer issuer{"operator", SignatureMethod::hmac_sha256, {9}};
    issuer.key.back() = 1;
    const auto code = sign("gw-1", command(), issuer);
    EXPECT(
        check_signature("gw-1", command(), Bytes(code).first(32), {&issuer, 1}, fake).has_value());
    issuer.key.back() = 2;
    EXPECT(check_signature("gw-1", command(), Bytes(code).first(32), {&issuer, 1}, fake).code() ==
           Code::denied);
}

TEST(a_signature_of_a_wrong_size_is_denied_before_it_is_looked_at) {
    const Issuer issuer{"operator", SignatureMethod::ed25519, {1, 2, 3}};
    const auto code = sign("gw-1", command(), issuer);
    for (const std::size_t size : {0U, 32U, 63U}) {
        EXPECT(check_signature("gw-1", command(), Bytes(code).first(size), {&issuer, 1}, fake)
                   .code() == Code::denied);
    }
}

TEST(a_wrong_hmac_is_denied_and_an_issuer_without_method_needs_none) {
    const Issuer shared{"operator", SignatureMethod::hmac_sha256, {9}};
    const std::array<std::uint8_t, 32> wrong{1};
    EXPECT(check_signature("gw-1", command(), wrong, {&shared, 1}, fake).code() == Code::denied);
    const Issuer open{"operator", SignatureMethod::none, {}};
    EXPECT(check_signature("gw-1", command(), {}, {&open, 1}, fake).has_value());
    EXPECT(check_signature("gw-1", command(), {}, {}, fake).code() == Code::denied);
}

TEST(the_key_of_the_issuer_that_is_named_decides_wherever_it_stands_in_the_list) {
    const std::array<Issuer, 3> issuers{Issuer{"operatos", SignatureMethod::none, {}},
                                        Issuer{"operator", SignatureMethod::ed25519, {1}},
                                        Issuer{"installer", SignatureMethod::ed25519, {2}}};
    Command c = command();
    for (const Issuer& by : issuers) {
        const auto code = sign("gw-1", c, by);
        EXPECT(check_signature("gw-1", c, code, issuers, fake).has_value() ==
               (by.name == c.issuer));
    }
    c.issuer = "installer";
    EXPECT(check_signature("gw-1", c, sign("gw-1", c, issuers[2]), issuers, fake).has_value());
    EXPECT(check_signature("gw-1", c, sign("gw-1", c, issuers[1]), issuers, fake).code() ==
           Code::denied);
}

TEST(a_method_that_nobody_knows_admits_nobody) {
    const Issuer issuer{"operator", static_cast<SignatureMethod>(7), {1, 2, 3}};
    const auto code = sign("gw-1", command(), issuer);
    EXPECT(check_signature("gw-1", command(), code, {&issuer, 1}, fake).code() == Code::denied);
}

TEST(what_is_signed_must_fit) {
    std::array<std::uint8_t, 40> small{};
    EXPECT(signed_bytes("gw-1", command(), small).code() == Code::full);
    static constexpr std::array<char, signed_command_size_max> name{'g', 'w'};
    const Issuer open{"operator", SignatureMethod::none, {}};
    EXPECT(check_signature({name.data(), name.size()}, command(), {}, {&open, 1}, fake).code() ==
           Code::full);
}
