// SPDX-License-Identifier: Apache-2.0
#pragma once
// RegisterClient: when a Modbus device is asked, asked again, left alone and set. What is asked and
// what the answers mean is its heirs' (RegisterDevice, SunSpecDevice).
#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/base/time.h"
#include "core/bus/modbus_line.h"
#include "core/device/device.h"
#include "core/device/registers/register_map.h"

namespace jw::registers {

/// Registers or bits that are read at once.
struct Question {
    Table table = Table::holding;
    std::uint16_t start = 0;
    std::uint16_t count = 0;
};

/// A poll is a row of questions whose answers make one reading. A question is asked again after
/// silence (once, unless the device slept already) and after "busy" (exceptions 5, 6, 11, with
/// back-off); then the poll has failed and the next one waits, longer each time up to 30 s, so that
/// a device which answers again is back within a minute.
class RegisterClient : public Device, public ModbusClient {
  public:
    RegisterClient(const RegisterClient&) = delete;
    RegisterClient& operator=(const RegisterClient&) = delete;

    Status poll_now(Instant now) final;
    ModbusClient* modbus() final { return this; }

    [[nodiscard]] Instant due() const final;
    std::uint8_t ask(Writer& pdu, Instant now) final;
    void answered(Bytes pdu, Instant now) final;
    void failed(Error error, Instant now) final;
    void connected(Instant now) final;

  protected:
    RegisterClient(const DeviceSettings& settings, DeviceOut& out);
    ~RegisterClient() = default;

    /// A poll begins; question() has at least one.
    virtual void begin() = 0;
    /// The next question of the poll. False when the poll is complete.
    virtual bool question(Question& next) = 0;
    /// The bytes of the registers (or bits) that were asked for, complete.
    virtual void answer(const Question& asked, Bytes bytes, Instant now) = 0;
    /// The device has no such registers (exceptions 1, 2, 3): not to be asked again.
    virtual void refuse(const Question& asked) = 0;
    /// The poll is complete: hands out the reading.
    virtual Status finish(Instant now) = 0;
    /// The device was silent. When it answers again it may be another one.
    virtual void forget() = 0;

    /// The write of that number of the act that was started. False: there is none, all is written.
    virtual bool write(unsigned number, Writer& pdu) = 0;
    /// What to read to see what came of the act.
    virtual Question read_back() const = 0;
    /// The value that was read back; `same` says whether it is the one that was written.
    virtual std::optional<std::int64_t> value_read(Bytes bytes, bool& same, Instant now) = 0;

    /// Begins to write; `told`: the end is told by DeviceOut::acted(). Errors: busy.
    Status start_act(Instant now, bool told = true);

    [[nodiscard]] const Name& name() const { return name_; }
    [[nodiscard]] DeviceOut& out() { return out_; }

  private:
    enum class Asked : std::uint8_t { nothing, poll, write, read_back };
    enum class Act : std::uint8_t { none, writing, reading };

    void poll_answered(Bytes pdu, Instant now);
    void poll_refused(std::uint8_t exception, Instant now);
    void poll_failed(Error error, Instant now);
    void next_question(Instant now);
    void write_answered(Bytes pdu, Instant now);
    void read_back_answered(Bytes pdu, Instant now);
    void read_back_failed(Instant now);
    void end_act(ResultCode code, std::optional<std::int64_t> value, Instant now);

    DeviceOut& out_;
    Name name_;
    std::uint8_t unit_;
    Asked asked_ = Asked::nothing;
    bool polling_ = false;
    bool asleep_ = false;
    std::uint8_t tries_ = 0;  // of the question that is being asked
    Act act_ = Act::none;
    bool act_told_ = true;
    std::uint8_t writes_ = 0;  // of the act that are done
    std::uint8_t act_tries_ = 0;
    Question question_;
    Duration poll_;
    Duration wait_;        // back-off of a device that does not answer
    Instant poll_at_;      // begin of the next poll
    Instant question_at_;  // next question of the poll
    Instant act_at_;
    Instant act_until_;  // not to be begun later
};

}  // namespace jw::registers
