// SPDX-License-Identifier: Apache-2.0
// The simulated devices as ports see them.
#include "apps/joulectl/sim_devices.h"

#include <array>
#include <charconv>
#include <chrono>
#include <ctime>
#include <sstream>

#include "apps/joulectl/input.h"
#include "core/base/crc.h"
#include "core/device/tinybms/dump.h"
#include "sim/demo_meter.h"
#include "sim/sunspec.h"

namespace joulectl {
namespace {

class DeafSession : public SimSession {
  public:
    void received(jw::Bytes /*bytes*/, jw::Instant /*now*/) override {}
    [[nodiscard]] jw::Instant next() const override { return jw::never; }
    std::string take(jw::Instant /*now*/) override { return {}; }
};

class ModbusSession : public SimSession {
  public:
    ModbusSession(jw::ModbusFraming framing,
                  jw::sim::ModbusUnit& unit,
                  std::uint64_t seed,
                  std::uint8_t exception)
        : server_(framing, std::span(&unit, 1), seed) {
        server_.faults.exception_percent = exception == 0 ? 0 : 100;
        server_.faults.exception = static_cast<jw::modbus::Exception>(exception);
    }
    void received(jw::Bytes bytes, jw::Instant now) override { server_.received(bytes, now); }
    [[nodiscard]] jw::Instant next() const override { return server_.next(); }
    std::string take(jw::Instant now) override {
        std::vector<std::uint8_t> bytes;
        server_.take(now, bytes);
        return {bytes.begin(), bytes.end()};
    }

  private:
    jw::sim::ModbusServer server_;
};

class TinybmsSession : public SimSession {
  public:
    TinybmsSession(jw::sim::Tinybms& bms, const std::function<void(const std::string&)>& heard)
        : bms_(bms), heard_(heard) {}
    void received(jw::Bytes bytes, jw::Instant now) override { bms_.received(bytes, now); }
    [[nodiscard]] jw::Instant next() const override { return bms_.next(); }
    std::string take(jw::Instant now) override {
        std::vector<std::uint8_t> bytes;
        bms_.take(now, bytes);
        std::string said(bytes.begin(), bytes.end());
        heard_(said);
        return said;
    }

  private:
    jw::sim::Tinybms& bms_;
    const std::function<void(const std::string&)>& heard_;
};

/// What a dump or an image holds takes the place of all registers.
void load_registers(jw::sim::Tinybms& bms, const std::string& file) {
    const std::string text = read_all(file);
    bms.clear();
    if (text.starts_with('{')) {
        const RegisterImage image = read_image(text, file);
        for (std::size_t i = 0; i < image.registers.size(); ++i) {
            bms.set(static_cast<std::uint16_t>(image.base + i), image.registers[i]);
        }
        return;
    }
    std::istringstream lines(text);
    int number = 0;
    for (std::string line; std::getline(lines, line);) {
        ++number;
        const auto parsed = jw::tinybms::parse_dump_line(line);
        if (!parsed) {
            throw UsageError(file + ": line " + std::to_string(number) +
                             ": not as a register is dumped: Register 36: HEX=1eb8_425f");
        }
        for (unsigned i = 0; *parsed && i < (*parsed)->count; ++i) {
            bms.set(static_cast<std::uint16_t>((*parsed)->address + i), (*parsed)->words.at(i));
        }
    }
}

/// Local time, counted as Unix time is.
std::int64_t local_now_s() {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    localtime_r(&now, &local);
    return timegm(&local);
}

}  // namespace

SimP1::SimP1(boost::asio::io_context& io,
             const SimOptions& options,
             std::function<std::int64_t(jw::Instant now)> others_w)
    : others_w_(std::move(others_w)),
      meter_({options.seed, local_now_s(), options.old, !others_w_}),
      timer_(io) {}

std::unique_ptr<SimSession> SimP1::connect() {
    return std::make_unique<DeafSession>();
}

void SimP1::start(std::function<void(const std::string&)> say) {
    say_ = std::move(say);
    step();
}

void SimP1::step() {
    std::array<char, jw::sim::P1Meter::telegram_size_max> room{};
    jw::Text text(room);
    const jw::Instant now = sim_now();
    if (others_w_) {
        meter_.set_others_w(others_w_(now));
    }
    const jw::Instant next = meter_.step(now, text);
    if (text.size() > 0) {
        say_(std::string(text.view()));
    }
    timer_.expires_after(std::chrono::microseconds((next - now).us));
    timer_.async_wait([this](boost::system::error_code error) {
        if (!error) {
            step();
        }
    });
}

SimModbus::SimModbus(jw::ModbusFraming framing, jw::sim::ModbusUnit unit, const SimOptions& options)
    : framing_(framing),
      unit_(std::move(unit)),
      seed_(options.seed),
      exception_(static_cast<std::uint8_t>(options.exception)) {}

std::int64_t SimModbus::power_w(jw::Instant now) {
    if (unit_.live) {
        unit_.live(unit_, now);
    }
    return unit_.power_w;
}

std::unique_ptr<SimSession> SimModbus::connect() {
    return std::make_unique<ModbusSession>(framing_, unit_, seed_++, exception_);
}

SimTinybms::SimTinybms(const SimOptions& options)
    : bms_(jw::sim::tinybms_scene(options.scene).value_or(jw::sim::TinybmsScene::nominal),
           options.seed) {
    if (!options.registers.empty()) {
        load_registers(bms_, options.registers);
    } else {
        bms_.lives = true;
    }
}

std::unique_ptr<SimSession> SimTinybms::connect() {
    return std::make_unique<TinybmsSession>(bms_, heard_);
}

bool SimTinybms::control(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    std::vector<std::uint16_t> numbers;
    for (std::string word; words >> word;) {
        std::uint16_t number = 0;
        const char* const end = word.data() + word.size();
        const auto [stop, error] = std::from_chars(word.data(), end, number);
        if (error != std::errc() || stop != end) {
            return false;
        }
        numbers.push_back(number);
    }
    if (verb == "set" && !numbers.empty() && numbers.size() % 2 == 0) {
        for (std::size_t i = 0; i < numbers.size(); i += 2) {
            bms_.set(numbers[i], numbers[i + 1]);
        }
        return true;
    }
    if (!numbers.empty() || (verb != "silent" && verb != "speak")) {
        return false;
    }
    bms_.faults.silent = verb == "silent";
    return true;
}

jw::sim::ModbusUnit sim_demo_meter(const SimOptions& options, const std::string& name) {
    const std::uint16_t sum = jw::crc16_arc(jw::as_bytes(name));
    return jw::sim::demo_meter({options.seed + sum, 1, 100'000U + sum});
}

jw::sim::ModbusUnit sim_sunspec(const SimOptions& options) {
    if (options.image.empty()) {
        return jw::sim::sunspec_inverter(
            {.seed = options.seed, .start = jw::seconds(local_now_s() % (24 * 3600))});
    }
    const auto image = read_image(read_all(options.image), options.image);
    jw::sim::ModbusUnit unit;
    unit.holding.set(image.base, image.registers);
    return unit;
}

}  // namespace joulectl
