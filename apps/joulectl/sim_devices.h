// SPDX-License-Identifier: Apache-2.0
#pragma once
// The simulated devices as ports see them: one class a device, around what stands in sim/.
#include <boost/asio/steady_timer.hpp>
#include <functional>

#include "apps/joulectl/sim_port.h"
#include "apps/joulectl/subcommands.h"
#include "sim/modbus_server.h"
#include "sim/p1.h"
#include "sim/tinybms.h"

namespace joulectl {

/// A smart meter: talks by itself, hears nothing.
class SimP1 : public SimDevice {
  public:
    /// others_w, where given, tells what else is connected behind the meter takes; the household
    /// then has no roof of its own.
    SimP1(boost::asio::io_context& io,
          const SimOptions& options,
          std::function<std::int64_t(jw::Instant now)> others_w = {});
    std::unique_ptr<SimSession> connect() override;
    /// Begins to talk: each telegram goes to `say` when it is due.
    void start(std::function<void(const std::string&)> say);
    void stop() { timer_.cancel(); }

  private:
    void step();

    std::function<std::int64_t(jw::Instant now)> others_w_;
    jw::sim::P1Meter meter_;
    boost::asio::steady_timer timer_;
    std::function<void(const std::string&)> say_;
};

/// A Modbus device; all its connections share its registers.
class SimModbus : public SimDevice {
  public:
    SimModbus(jw::ModbusFraming framing, jw::sim::ModbusUnit unit, const SimOptions& options);
    std::unique_ptr<SimSession> connect() override;
    [[nodiscard]] int unit() const { return unit_.id; }
    /// What it takes now; negative: gives. It lives up to there.
    std::int64_t power_w(jw::Instant now);

  private:
    jw::ModbusFraming framing_;
    jw::sim::ModbusUnit unit_;
    std::uint64_t seed_;
    std::uint8_t exception_;
};

/// A TinyBMS on its UART; all its connections share its registers.
class SimTinybms : public SimDevice {
  public:
    /// Throws UsageError naming the line of the dump that is none.
    explicit SimTinybms(const SimOptions& options);
    std::unique_ptr<SimSession> connect() override;
    /// Each answer goes to `heard`, just before it leaves.
    void watch(std::function<void(const std::string&)> heard) { heard_ = std::move(heard); }
    /// `set REGISTER WORD…` (several pairs change together), `silent` or `speak`; false for others.
    bool control(const std::string& line);

  private:
    jw::sim::Tinybms bms_;
    std::function<void(const std::string&)> heard_ = [](const std::string&) {};
};

/// A demo meter whose serial number and life follow from seed and name.
jw::sim::ModbusUnit sim_demo_meter(const SimOptions& options, const std::string& name);
/// A SunSpec device: the image of the options, or an inverter of our own. Throws UsageError naming
/// what is wrong with the image.
jw::sim::ModbusUnit sim_sunspec(const SimOptions& options);

}  // namespace joulectl
