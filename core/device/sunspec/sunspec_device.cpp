// SPDX-License-Identifier: Apache-2.0
// Finds the chain of SunSpec models, reads those it knows as one reading, limits the power.
#include "core/device/sunspec/sunspec_device.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/float_bits.h"
#include "core/codec/modbus.h"
#include "core/device/registers/register_value.h"
#include "core/device/sunspec/sunspec.h"

namespace jw::sunspec {

/// Where the limit of the active power is in a model; offsets, 0: it has none.
struct LimitModel {
    std::uint16_t id;
    std::uint16_t enable;
    std::uint16_t value;  // in percent of the rated power
    std::uint16_t scale;
    std::uint16_t revert;  // seconds until the device falls back
    std::uint16_t revert_size;
    std::uint16_t fallback;  // what it falls back to: value, enable, then the revert time
};

namespace {

using registers::Table;

constexpr LimitModel limit_models[] = {{123, 9, 5, 23, 7, 1, 0}, {704, 14, 15, 54, 18, 2, 16}};
constexpr std::uint16_t bases[] = {40000, 0, 50000};
constexpr std::uint16_t any_base = 0xFFFF;
constexpr std::uint16_t header_size = 2;
constexpr std::uint16_t marker_size = 2;
constexpr std::uint32_t registers_max = 0x10000;
constexpr std::uint16_t unlimited_permille = 1000;
constexpr Duration revert_least = seconds(300);
constexpr int renewals = 3;  // in a revert time, so that one may fail
constexpr std::uint16_t port_model = 714;
constexpr std::uint16_t port_of_storage = 1;  // 714 PrtTyp ESS
// Of whom it is known that the meters behind his inverters count export as positive.
constexpr std::string_view turned_maker = "SolarEdge";

constexpr std::uint16_t per_read = limits::modbus_registers_per_read_max;

/// Offsets of a model that hold what its quantities need.
struct Extent {
    std::uint32_t low = registers_max;
    std::uint32_t high = 0;
    void add(std::uint32_t offset, std::uint32_t size) {
        low = std::min(low, offset);
        high = std::max(high, offset + size);
    }
};

/// Adds the points (or only the scale factors of module points) that lie inside the model.
void add_points(std::span<const Point> points, std::uint32_t end, bool of_modules, Extent& extent) {
    for (const Point& point : points) {
        if (point.quantity == Quantity::none) {
            continue;
        }
        if (!of_modules && point.offset + std::uint32_t{point.size} <= end) {
            extent.add(point.offset, point.size);
        }
        if (point.scale != 0 && point.scale < end) {
            extent.add(point.scale, 1);
        }
    }
}

}  // namespace

SunSpecDevice::SunSpecDevice(const DeviceSettings& settings, DeviceOut& out)
    : RegisterClient(settings, out), base_setting_(settings.base), sign_(settings.sign) {
    if (base_setting_ != any_base) {
        base_setting_ = std::min<std::uint16_t>(base_setting_, 0xFFF0);  // room for a marker
    }
    const Duration revert = std::max(revert_least, settings.poll * renewals);
    revert_s_ = static_cast<std::uint16_t>(std::min<std::int64_t>(revert.ms() / 1000, 0xFFFE));
    renew_ = revert / renewals;
    reading_.device = settings.name;
}

std::uint16_t SunSpecDevice::base() const {
    return base_setting_ != any_base ? base_setting_
                                     : bases[(base_first_ + tried_) % std::size(bases)];
}

void SunSpecDevice::begin() {
    reading_.values.clear();
    span_end_ = 0;
    far_size_ = 0;
    if (!found_all_) {
        search();
        tried_ = 0;
    }
}

bool SunSpecDevice::question(Question& next) {
    switch (phase_) {
        case Phase::marker:
            next = {Table::holding, base(), marker_size + header_size};
            return tried_ < (base_setting_ != any_base ? 1 : std::size(bases));
        case Phase::common:
            next = {Table::holding, static_cast<std::uint16_t>(at_ + header_size), length_};
            return true;
        case Phase::header:
            next = {Table::holding,
                    static_cast<std::uint16_t>(at_),
                    short_header_ ? std::uint16_t{1} : header_size};
            return true;
        case Phase::reading:
            break;
    }
    return reading_question(next);
}

void SunSpecDevice::answer(const Question& asked, Bytes bytes, Instant now) {
    switch (phase_) {
        case Phase::marker:
            marker_answered(bytes);
            break;
        case Phase::common:
            common_answered(bytes, now);
            break;
        case Phase::header:
            header_answered(bytes);
            break;
        case Phase::reading:
            for (std::uint8_t i = span_; i < span_end_; ++i) {
                const std::size_t at = std::size_t{start_of(spans_[i])} - asked.start;
                span_answered(i, bytes.subspan(2 * at, 2U * spans_[i].count));
            }
            break;
    }
}

void SunSpecDevice::refuse(const Question& /*asked*/) {
    switch (phase_) {
        case Phase::marker:
        case Phase::common:
            phase_ = Phase::marker;
            ++tried_;
            break;
        case Phase::header:
            // Some devices leave out the length of the end, or the end.
            if (short_header_) {
                end_chain();
            }
            short_header_ = true;
            break;
        case Phase::reading:
            if (span_end_ - span_ > 1) {
                alone_ = true;
                span_end_ = span_;
            } else {
                spans_[span_].refused = true;
            }
            break;
    }
}

void SunSpecDevice::marker_answered(Bytes bytes) {
    Reader in{bytes};
    std::uint16_t id = 0;
    if (in.u32_be() == marker) {
        at_ = base() + std::uint32_t{marker_size};
        id = in.u16_be();
        length_ = in.u16_be();
    } else {
        // A base from the settings may also be the model 1 of a device behind this one.
        at_ = base();
        id = modbus::register_at(bytes, 0);
        length_ = modbus::register_at(bytes, 1);
        id = base_setting_ != any_base ? id : std::uint16_t{0};
    }
    // 66, or 65 without the padding.
    if (id != common_model || (length_ != 65 && length_ != 66)) {
        ++tried_;
        return;
    }
    phase_ = Phase::common;
}

void SunSpecDevice::common_answered(Bytes bytes, Instant now) {
    DeviceInfo info;
    info.name = name();
    info.driver = driver.name;
    const struct {
        std::uint16_t offset;
        std::uint16_t size;
        Label& label;
    } texts[] = {
        {2, 16, info.maker}, {18, 16, info.model}, {42, 8, info.version}, {50, 16, info.serial}};
    const Window window{bytes, header_size};
    for (const auto& text : texts) {
        std::array<char, Label::capacity()> buffer{};
        Text out{buffer};
        registers::put_device_text(window.at(text.offset, text.size), out);
        text.label = out.view();
    }
    turned_meter_ = info.maker == turned_maker;
    at_ += header_size + length_;
    phase_ = Phase::header;
    out().identified(info, now);
}

void SunSpecDevice::header_answered(Bytes bytes) {
    Reader in{bytes};
    const std::uint16_t id = in.u16_be();
    const std::uint16_t length = in.u16_be();
    const std::uint32_t next = at_ + header_size + length;
    // A second model 1 begins another device.
    if (!in.ok() || id == end_of_chain || id == 0 || id == common_model ||
        next + header_size > registers_max || ++headers_ >= chain_models_max) {
        end_chain();
        return;
    }
    if (const Model* model = model_of(id); model != nullptr) {
        (void)found_.push(
            {model, static_cast<std::uint16_t>(at_), length, module_room(*model, length)});
    }
    at_ = next;
}

void SunSpecDevice::end_chain() {
    phase_ = Phase::reading;
    found_all_ = true;
    for (std::size_t i = 0; i < found_.size(); ++i) {
        plan(static_cast<std::uint8_t>(i));
        for (const LimitModel& limit : limit_models) {
            if (limit_ == nullptr && limit.id == found_[i].model->id &&
                limit.scale < found_[i].length + header_size) {
                limit_ = &limit;
                limit_address_ = found_[i].address;
            }
        }
    }
}

void SunSpecDevice::plan(std::uint8_t number) {
    const Found& found = found_[number];
    const Modules& modules = found.model->modules;
    const std::uint32_t end = std::uint32_t{found.length} + header_size;
    Extent extent;
    for (const auto& points : found.model->points) {
        add_points(points, end, false, extent);
    }
    if (found.modules > 0) {
        add_points(modules.points, end, true, extent);
    }
    if (extent.high <= extent.low) {
        return;
    }
    Span span;
    span.found = number;
    span.offset = static_cast<std::uint16_t>(extent.low);
    span.count = static_cast<std::uint16_t>(extent.high - extent.low);
    const Span fixed = span;
    while (span.modules < found.modules) {
        const std::uint32_t count = modules.start + (span.modules + 1U) * modules.size - extent.low;
        if (count > per_read) {
            break;
        }
        span.count = static_cast<std::uint16_t>(count);
        ++span.modules;
    }
    (void)spans_.push(span);
    for (std::uint32_t done_modules = span.modules; done_modules < found.modules;
         done_modules += per_read / modules.size) {
        Span far;
        far.kind = Span::Kind::far;
        far.found = number;
        far.first_module = static_cast<std::uint16_t>(done_modules);
        far.modules = static_cast<std::uint16_t>(
            std::min<std::uint32_t>(per_read / modules.size, found.modules - done_modules));
        far.offset = static_cast<std::uint16_t>(modules.start + done_modules * modules.size);
        far.count = static_cast<std::uint16_t>(far.modules * modules.size);
        Span proof = fixed;
        proof.kind = Span::Kind::proof;
        // A reading has no room for hundreds of modules; what does not fit is not asked for.
        if (spans_.capacity() - spans_.size() < 2 || !spans_.push(far) || !spans_.push(proof)) {
            return;
        }
    }
}

std::uint16_t SunSpecDevice::start_of(const Span& span) const {
    return static_cast<std::uint16_t>(found_[span.found].address + span.offset);
}

bool SunSpecDevice::reading_question(Question& next) {
    span_ = span_end_;
    while (span_ < spans_.size() && spans_[span_].refused) {
        ++span_;
    }
    if (span_ == spans_.size()) {
        span_end_ = span_;
        return false;
    }
    const std::uint32_t start = start_of(spans_[span_]);
    std::uint32_t end = start + spans_[span_].count;
    span_end_ = static_cast<std::uint8_t>(span_ + 1);
    // Models that lie close together are read at once.
    const auto joins = [&](const Span& span) {
        return span.kind == Span::Kind::near && !span.refused &&
               start_of(span) + std::uint32_t{span.count} - start <= per_read;
    };
    while (!alone_ && spans_[span_].kind == Span::Kind::near && span_end_ < spans_.size() &&
           joins(spans_[span_end_])) {
        end = start_of(spans_[span_end_]) + std::uint32_t{spans_[span_end_].count};
        ++span_end_;
    }
    next = {
        Table::holding, static_cast<std::uint16_t>(start), static_cast<std::uint16_t>(end - start)};
    return true;
}

void SunSpecDevice::span_answered(std::uint8_t number, Bytes bytes) {
    const Span& span = spans_[number];
    const Found& found = found_[span.found];
    const Window window{bytes, span.offset};
    const auto keep_fixed = [&](Bytes fixed) {
        fixed_size_ = static_cast<std::uint8_t>(std::min(fixed.size(), fixed_.size()));
        std::copy_n(fixed.begin(), fixed_size_, fixed_.begin());
    };
    switch (span.kind) {
        case Span::Kind::near:
            take_points(found, window, window);
            take_modules(span, window, window);
            take_limit(found, window);
            if (number + 2U < spans_.size() && spans_[number + 1U].kind == Span::Kind::far) {
                keep_fixed(bytes.first(2U * spans_[number + 2U].count));
            }
            break;
        case Span::Kind::far:
            far_size_ = static_cast<std::uint8_t>(bytes.size());
            std::copy_n(bytes.begin(), far_size_, far_.begin());
            break;
        case Span::Kind::proof:
            if (far_size_ != 0 &&
                equal(bytes.first(fixed_size_), Bytes(fixed_).first(fixed_size_))) {
                const Span& far = spans_[number - 1U];
                take_modules(far, {Bytes(far_).first(far_size_), far.offset}, window);
            }
            far_size_ = 0;
            keep_fixed(bytes);
            break;
    }
}

void SunSpecDevice::take_points(const Found& found, const Window& values, const Window& scales) {
    for (const auto& points : found.model->points) {
        for (const Point& point : points) {
            if (point.quantity != Quantity::none) {
                put(found, point, point.index, 1, value_of(point, point.offset, values, scales));
            }
        }
    }
}

void SunSpecDevice::take_modules(const Span& span, const Window& values, const Window& scales) {
    const Found& found = found_[span.found];
    for (std::uint32_t i = span.first_module; i < span.first_module + std::uint32_t{span.modules};
         ++i) {
        const std::uint32_t start = found.model->modules.start + i * found.model->modules.size;
        // What flows out of a storage is positive there, what flows into it here.
        const Bytes type = values.at(start, 1);
        const bool storage = found.model->id == port_model && !type.empty() &&
                             modbus::register_at(type, 0) == port_of_storage;
        for (const Point& point : found.model->modules.points) {
            if (point.quantity == Quantity::none || i >= UINT8_MAX) {
                continue;
            }
            const bool flows =
                point.quantity == Quantity::dc_power_w || point.quantity == Quantity::dc_current_ma;
            put(found,
                point,
                static_cast<std::uint8_t>(i + 1),
                storage && flows ? -1 : 1,
                value_of(point, start + point.offset, values, scales));
        }
    }
}

void SunSpecDevice::put(const Found& found,
                        const Point& point,
                        std::uint8_t index,
                        std::int8_t sign,
                        const PointValue& value) {
    const std::optional<std::int64_t> number = quantity_of(point, value);
    if (!number || reading_.values.find(point.quantity, index) != nullptr) {
        return;
    }
    if (point.quantity == Quantity::power_w || point.quantity == Quantity::reactive_power_var) {
        const bool turned = is_meter(*found.model) && turned_meter_;
        sign = static_cast<std::int8_t>(sign * (sign_ != 0 ? sign_ : turned ? -1 : 1));
    }
    reading_.values.put(point.quantity, index, *number * sign);
}

void SunSpecDevice::take_limit(const Found& found, const Window& window) {
    if (limit_ == nullptr || found.address != limit_address_) {
        return;
    }
    const Bytes scale = window.at(limit_->scale, 1);
    const Bytes revert = window.at(limit_->revert, limit_->revert_size);
    const auto power =
        scale.empty() ? std::int16_t{0} : static_cast<std::int16_t>(modbus::register_at(scale, 0));
    limit_known_ = !scale.empty() && power >= -10 && power <= 10;
    limit_scale_ = static_cast<std::int8_t>(limit_known_ ? power : 0);
    limit_reverts_ =
        std::any_of(revert.begin(), revert.end(), [](std::uint8_t byte) { return byte != 0xFF; });
}

Status SunSpecDevice::finish(Instant now) {
    const bool any =
        std::any_of(spans_.begin(), spans_.end(), [](const Span& span) { return !span.refused; });
    if (!found_all_ || !any) {
        search();
        return JW_FAIL(unsupported);
    }
    out().reading(reading_, now);
    if (held_permille_ < unlimited_permille && now >= renew_at_) {
        (void)start_limit(held_permille_, false, now);  // busy: with the next reading
    }
    return done;
}

void SunSpecDevice::forget() {
    if (phase_ == Phase::marker) {
        // Some devices are silent where they have no registers: the next search begins behind.
        base_first_ = static_cast<std::uint8_t>((base_first_ + tried_ + 1U) % std::size(bases));
    }
    search();
}

void SunSpecDevice::search() {
    phase_ = Phase::marker;
    short_header_ = false;
    found_all_ = false;
    headers_ = 0;
    found_.clear();
    spans_.clear();
    alone_ = false;
    limit_ = nullptr;
    limit_known_ = false;
}

std::optional<std::uint16_t> SunSpecDevice::raw_limit(std::int64_t permille) const {
    const int power = -1 - limit_scale_;
    const std::optional<std::int64_t> raw =
        power < 0 ? scaled(permille, 1, power_of_ten(static_cast<unsigned>(-power)))
                  : scaled(permille, power_of_ten(static_cast<unsigned>(power)), 1);
    return raw && *raw < 0xFFFF ? std::optional(static_cast<std::uint16_t>(*raw)) : std::nullopt;
}

Status SunSpecDevice::start_limit(std::int64_t permille, bool told, Instant now) {
    if (!limit_known_) {
        return JW_FAIL(busy);  // not found yet, or asleep
    }
    const std::optional<std::uint16_t> raw = raw_limit(permille);
    if (!raw) {
        return JW_FAIL(out_of_range);
    }
    JW_TRY(start_act(now, told));
    wanted_permille_ = static_cast<std::uint16_t>(permille);
    wanted_raw_ = *raw;
    return done;
}

Status SunSpecDevice::act(Quantity quantity, std::int64_t value, Instant now) {
    if (quantity != Quantity::power_limit_permille || (found_all_ && limit_ == nullptr)) {
        return JW_FAIL(unsupported);
    }
    if (value < 0 || value > unlimited_permille) {
        return JW_FAIL(out_of_range);
    }
    return start_limit(value, true, now);
}

bool SunSpecDevice::write(unsigned number, Writer& pdu) {
    std::array<std::uint8_t, 8> buffer{};
    Writer data{buffer};
    modbus::Request request;
    request.function = modbus::Function::write_registers;
    const unsigned step = limit_reverts_ ? number : number + 1;
    if (limit_ == nullptr || step > 2) {
        return false;
    }
    if (step == 0) {
        request.address = limit_->revert;
        if (limit_->fallback != 0) {
            request.address = limit_->fallback;
            data.u16_be(raw_limit(unlimited_permille).value_or(0)).u16_be(0);
        }
        if (limit_->revert_size == 2) {
            data.u16_be(0);
        }
        data.u16_be(revert_s_);
    } else if (step == 1) {
        request.address = limit_->value;
        data.u16_be(wanted_raw_);
    } else {
        request.address = limit_->enable;
        data.u16_be(wanted_permille_ < unlimited_permille ? 1 : 0);
    }
    request.address = static_cast<std::uint16_t>(request.address + limit_address_);
    request.count = static_cast<std::uint16_t>(data.size() / 2);
    request.data = data.written();
    CHECK(modbus::encode_request(pdu, request).has_value());
    return true;
}

Question SunSpecDevice::read_back() const {
    if (limit_ == nullptr) {  // forgotten meanwhile: any register tells that the device is there
        return {Table::holding, base(), 1};
    }
    const std::uint16_t first = std::min(limit_->enable, limit_->value);
    return {Table::holding,
            static_cast<std::uint16_t>(limit_address_ + first),
            static_cast<std::uint16_t>(limit_->scale + 1 - first)};
}

std::optional<std::int64_t> SunSpecDevice::value_read(Bytes bytes, bool& same, Instant now) {
    same = false;
    if (limit_ == nullptr) {
        return std::nullopt;
    }
    const Window window{bytes, std::min(limit_->enable, limit_->value)};
    const std::uint16_t raw = modbus::register_at(window.at(limit_->value, 1), 0);
    const std::uint16_t enable = modbus::register_at(window.at(limit_->enable, 1), 0);
    same = raw == wanted_raw_ && (enable == 1) == (wanted_permille_ < unlimited_permille);
    if (same) {
        held_permille_ = limit_reverts_ ? wanted_permille_ : unlimited_permille;
        renew_at_ = now + renew_;
    }
    Point point{};
    point.power = 1;
    PointValue value;
    value.kind = PointValue::Kind::number;
    value.exponent = limit_scale_;
    value.number = raw;
    return quantity_of(point, value);
}

}  // namespace jw::sunspec
