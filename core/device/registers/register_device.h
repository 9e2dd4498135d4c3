// SPDX-License-Identifier: Apache-2.0
#pragma once
// RegisterDevice: runs any RegisterMap.
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/arena.h"
#include "core/device/registers/register_client.h"

namespace jw::registers {

/// Polls all blocks of a map as one reading. Where the device refuses a block, it is asked in
/// halves, down to the row that the device does not have; that is remembered until the device was
/// silent. The map must have passed validate() and outlive the device.
class RegisterDevice final : public RegisterClient {
  public:
    RegisterDevice(const RegisterMap& map,
                   Arena& arena,
                   const DeviceSettings& settings,
                   DeviceOut& out);

    Status act(Quantity quantity, std::int64_t value, Instant now) override;

  private:
    /// What is known of one row.
    struct Known {
        std::int64_t value = 0;
        bool present = false;  // in the answers of the running poll
        bool missing = false;  // the device does not have it
        bool split = false;    // a question begins here, and not with more than its rows need
    };

    void begin() override;
    bool question(Question& next) override;
    void answer(const Question& asked, Bytes bytes, Instant now) override;
    void refuse(const Question& asked) override;
    Status finish(Instant now) override;
    void forget() override;
    bool write(unsigned number, Writer& pdu) override;
    [[nodiscard]] Question read_back() const override;
    std::optional<std::int64_t> value_read(Bytes bytes, bool& same, Instant now) override;

    [[nodiscard]] const Identity& identity(std::size_t at) const;
    bool identity_question(Question& next);
    void tell_identity(Instant now);
    [[nodiscard]] std::int8_t sign_of(const Row& row) const;

    const RegisterMap& map_;
    std::span<Known> known_;   // one a row
    std::span<Label> labels_;  // maker, model, version, serial where registers hold any of them
    std::int8_t sign_;
    bool identified_ = false;
    std::uint8_t identity_ = 0;  // next to be asked; the one asked is before it
    bool asking_identity_ = false;
    std::uint8_t first_ = 0;  // rows of the question that is out: first_ … end_ - 1
    std::uint8_t end_ = 0;
    std::uint8_t acting_row_ = 0;
    std::uint64_t acting_raw_ = 0;
};

/// Bytes of arena that a device of the map takes.
constexpr std::size_t memory_of(const RegisterMap& map) {
    return sizeof(RegisterDevice) + alignof(RegisterDevice) +
           map.rows.size() * 2 * sizeof(std::int64_t) + 4 * sizeof(Label) + alignof(std::int64_t);
}

/// Says in the compiler's message what is wrong where: MapIsRight<Problem, Part, number>.
template <Problem problem, Part part, std::uint16_t at>
struct MapIsRight {
    static constexpr bool right = problem == Problem::none;
    static_assert(right, "a file of devices/ is wrong: problem, part, number");
};

/// Driver::make of a map that was compiled in.
template <const RegisterMap& map>
Device* make(Arena& arena, const DeviceSettings& settings, DeviceOut& out) {
    return &arena.make<RegisterDevice>(map, arena, settings, out);
}

/// Driver::make of a map that was loaded at run time; DeviceSettings::map says which.
Device* make_loaded(Arena& arena, const DeviceSettings& settings, DeviceOut& out);

}  // namespace jw::registers
