// SPDX-License-Identifier: Apache-2.0
#include "benches/frames.h"

#include <bit>
#include <random>

#include "benches/report.h"
#include "core/bus/modbus_frame.h"
#include "core/device/tinybms/frames.h"
#include "sim/p1.h"
#include "sim/tinybms.h"

namespace jw::bench {
namespace {

/// Function 3, 40 bytes, ten floats between -2000 and 2000.
std::vector<std::vector<std::uint8_t>> pdus() {
    std::mt19937 random(2);
    std::uniform_real_distribution<float> value(-2000, 2000);
    std::vector<std::vector<std::uint8_t>> result;
    for (std::size_t i = 0; i < inputs_rotated; ++i) {
        std::vector<std::uint8_t> pdu(2 + 4 * floats_per_frame);
        Writer out(pdu);
        out.u8(3).u8(4 * floats_per_frame);
        for (std::size_t n = 0; n < floats_per_frame; ++n) {
            out.u32_be(std::bit_cast<std::uint32_t>(value(random)));
        }
        result.push_back(std::move(pdu));
    }
    return result;
}

}  // namespace

std::vector<RtuFrame> rtu_frames() {
    std::vector<RtuFrame> result;
    for (const auto& pdu : pdus()) {
        RtuFrame frame{};
        Writer out(frame);
        modbus::put_rtu(out, static_cast<std::uint8_t>(1 + result.size() % 200), pdu);
        if (!out.ok() || out.size() != frame.size()) {
            give_up("an RTU frame has another size than it must");
        }
        result.push_back(frame);
    }
    return result;
}

std::vector<std::vector<std::uint8_t>> tcp_frames() {
    std::vector<std::vector<std::uint8_t>> result;
    for (const auto& pdu : pdus()) {
        std::vector<std::uint8_t> frame(modbus::tcp_header_size + pdu.size());
        Writer out(frame);
        modbus::put_tcp(out, static_cast<std::uint16_t>(result.size()), 1, pdu);
        result.push_back(std::move(frame));
    }
    return result;
}

std::vector<std::vector<std::uint8_t>> tinybms_frames(bool replies) {
    std::vector<std::vector<std::uint8_t>> result;
    while (result.size() < inputs_rotated) {
        sim::Tinybms bms(sim::TinybmsScene::nominal, result.size());
        tinybms::Message question;
        question.command = tinybms::Command::read_modbus;
        question.address = replies ? std::uint16_t{0} : static_cast<std::uint16_t>(result.size());
        question.count = 56;
        std::array<std::uint8_t, 8> asked{};
        Writer out(asked);
        if (!tinybms::put(out, question)) {
            give_up("a TinyBMS question has another size than it must");
        }
        std::vector<std::uint8_t> frame(asked.begin(), asked.end());
        if (replies) {
            bms.received(asked, Instant{1'000'000});
            frame.clear();
            bms.take(Instant{2'000'000}, frame);
        }
        result.push_back(std::move(frame));
    }
    return result;
}

std::vector<std::string> p1_telegrams() {
    sim::P1Meter meter({.seed = 3});
    std::vector<std::string> result;
    Instant now;
    while (result.size() < inputs_rotated) {
        std::array<char, sim::P1Meter::telegram_size_max> buffer{};
        Text out(buffer);
        now = meter.step(now, out);
        if (!out.view().empty()) {
            result.emplace_back(out.view());
        }
    }
    return result;
}

std::vector<std::vector<std::uint8_t>> random_bytes(std::size_t size) {
    std::mt19937 random(4);
    std::vector<std::vector<std::uint8_t>> result(inputs_rotated);
    for (auto& bytes : result) {
        bytes.resize(size);
        for (std::uint8_t& byte : bytes) {
            byte = static_cast<std::uint8_t>(random());
        }
    }
    return result;
}

}  // namespace jw::bench
