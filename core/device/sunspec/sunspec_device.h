// SPDX-License-Identifier: Apache-2.0
#pragma once
// SunSpecDevice: finds the chain of models, reads those it knows as one reading, limits the power.
#include <array>
#include <cstdint>
#include <optional>

#include "core/base/list.h"
#include "core/device/registers/register_client.h"
#include "core/device/sunspec/decode.h"
#include "core/device/sunspec/models.h"

namespace jw::sunspec {

using registers::Question;

struct LimitModel;

/// One device is one chain, up to a second model 1 (a meter behind an inverter has its own; it is a
/// device of its own whose `base` is that model). A value that two models give is taken from the
/// first in the chain.
///
/// A power limit is written with the device's own revert time and renewed at a third of it until
/// it is set to 1000, so that a gateway that dies leaves no limit behind.
class SunSpecDevice final : public registers::RegisterClient {
  public:
    SunSpecDevice(const DeviceSettings& settings, DeviceOut& out);

    Status act(Quantity quantity, std::int64_t value, Instant now) override;

  private:
    enum class Phase : std::uint8_t { marker, common, header, reading };

    struct Found {
        const Model* model = nullptr;
        std::uint16_t address = 0;
        std::uint16_t length = 0;
        std::uint16_t modules = 0;
    };
    /// Registers of one model that are read at once.
    struct Span {
        /// near: with its scale factors. far: modules beyond the reach of one question; proof: the
        /// scale factors again, without which the far modules do not count.
        enum class Kind : std::uint8_t { near, far, proof };
        Kind kind = Kind::near;
        bool refused = false;
        std::uint8_t found = 0;
        std::uint16_t first_module = 0;
        std::uint16_t modules = 0;
        std::uint16_t offset = 0;  // in the model
        std::uint16_t count = 0;
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

    void search();
    [[nodiscard]] std::uint16_t base() const;
    void marker_answered(Bytes bytes);
    void common_answered(Bytes bytes, Instant now);
    void header_answered(Bytes bytes);
    void end_chain();
    void plan(std::uint8_t number);
    [[nodiscard]] std::optional<std::uint16_t> raw_limit(std::int64_t permille) const;
    Status start_limit(std::int64_t permille, bool told, Instant now);
    bool reading_question(Question& next);
    [[nodiscard]] std::uint16_t start_of(const Span& span) const;
    void span_answered(std::uint8_t number, Bytes bytes);
    void take_points(const Found& found, const Window& values, const Window& scales);
    void take_modules(const Span& span, const Window& values, const Window& scales);
    void take_limit(const Found& found, const Window& window);
    void put(const Found& found,
             const Point& point,
             std::uint8_t index,
             std::int8_t sign,
             const PointValue& value);

    // Settings.
    std::uint16_t base_setting_;
    std::int8_t sign_;
    std::uint16_t revert_s_;
    Duration renew_;

    // Discovery.
    Phase phase_ = Phase::marker;
    std::uint8_t tried_ = 0;       // bases that were looked at,
    std::uint8_t base_first_ = 0;  // beginning with this one of the three
    bool short_header_ = false;
    bool found_all_ = false;
    std::uint8_t headers_ = 0;
    std::uint32_t at_ = 0;  // address of the model that is looked at
    std::uint16_t length_ = 0;
    bool turned_meter_ = false;  // the maker counts export as positive
    FixedList<Found, 24> found_;
    FixedList<Span, 40> spans_;

    // Reading.
    std::uint8_t span_ = 0;      // first of the question that is out,
    std::uint8_t span_end_ = 0;  // and behind its last
    bool alone_ = false;         // the device refused spans that were joined
    Reading reading_;
    std::array<std::uint8_t, 40> fixed_{};  // front of a model whose modules are far
    std::uint8_t fixed_size_ = 0;
    std::array<std::uint8_t, 250> far_{};
    std::uint8_t far_size_ = 0;

    // The power limit.
    const LimitModel* limit_ = nullptr;  // null: the device has none
    std::uint16_t limit_address_ = 0;
    std::int8_t limit_scale_ = 0;
    bool limit_known_ = false;    // the scale was read
    bool limit_reverts_ = false;  // the device has a revert time
    std::uint16_t wanted_permille_ = 0;
    std::uint16_t wanted_raw_ = 0;
    std::uint16_t held_permille_ = 1000;  // to be renewed; 1000: nothing
    Instant renew_at_;
};

}  // namespace jw::sunspec
