// SPDX-License-Identifier: Apache-2.0
// Runs a RegisterMap: which questions, what the answers mean, what is written.
#include "core/device/registers/register_device.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/codec/modbus.h"
#include "core/device/registers/register_value.h"

namespace jw::registers {
namespace {

constexpr std::uint8_t identities = 4;

const Block& block_of(const RegisterMap& map, const Row& row) {
    for (const Block& block : map.blocks) {
        if (check::inside(block, row.table, row.address, 1)) {
            return block;
        }
    }
    CHECK(false);  // validate() has seen to it
}

/// The least that must be asked for a row: its own registers and its scale register.
struct Extent {
    std::uint32_t start;
    std::uint32_t end;
};

Extent extent_of(const Row& row) {
    Extent extent{row.address, row.address + std::uint32_t{format_size(row.format)}};
    if (row.scale_register != no_register) {
        const auto scale = static_cast<std::uint32_t>(row.scale_register);
        extent.start = std::min(extent.start, scale);
        extent.end = std::max(extent.end, scale + 1);
    }
    return extent;
}

Question question_of(Table table, Extent extent) {
    return {table,
            static_cast<std::uint16_t>(extent.start),
            static_cast<std::uint16_t>(extent.end - extent.start)};
}

std::int16_t scale_of(const Row& row, const Question& asked, Bytes bytes) {
    if (row.scale_register == no_register) {
        return 0;
    }
    const auto at = static_cast<std::size_t>(row.scale_register) - asked.start;
    return static_cast<std::int16_t>(modbus::register_at(bytes, at));
}

std::uint64_t raw_in(const Row& row, const Question& asked, Bytes bytes) {
    const std::size_t at = std::size_t{row.address} - asked.start;
    if (row.format == Format::bit) {
        return modbus::coil_at(bytes, at) ? 1 : 0;
    }
    return raw_value(bytes.subspan(2 * at, 2U * format_size(row.format)), row.order);
}

}  // namespace

RegisterDevice::RegisterDevice(const RegisterMap& map,
                               Arena& arena,
                               const DeviceSettings& settings,
                               DeviceOut& out)
    : RegisterClient(settings, out),
      map_(map),
      known_(arena.array<Known>(map.rows.size())),
      sign_(settings.sign) {
    for (std::uint8_t i = 0; i < identities && labels_.empty(); ++i) {
        if (identity(i).kind != Identity::Kind::constant) {
            labels_ = arena.array<Label>(identities);
        }
    }
}

const Identity& RegisterDevice::identity(std::size_t at) const {
    const Identity* const all[] = {&map_.maker, &map_.model, &map_.version, &map_.serial};
    return *all[at];
}

void RegisterDevice::begin() {
    for (Known& known : known_) {
        known.present = false;
    }
    end_ = 0;
    identity_ = 0;
}

bool RegisterDevice::identity_question(Question& next) {
    while (!identified_ && identity_ < identities) {
        const Identity& wanted = identity(identity_++);
        if (wanted.kind != Identity::Kind::constant) {
            next = {wanted.table, wanted.start, wanted.count};
            return true;
        }
    }
    return false;
}

bool RegisterDevice::question(Question& next) {
    asking_identity_ = identity_question(next);
    if (asking_identity_) {
        return true;
    }
    const std::size_t count = map_.rows.size();
    first_ = end_;
    while (first_ < count && known_[first_].missing) {
        ++first_;
    }
    if (first_ == count) {
        return false;
    }
    const Block& block = block_of(map_, map_.rows[first_]);
    const auto in_block = [&](std::size_t at) {
        return check::inside(block, map_.rows[at].table, map_.rows[at].address, 1);
    };
    end_ = first_;
    Extent extent = extent_of(map_.rows[first_]);
    do {
        const Extent more = extent_of(map_.rows[end_]);
        extent = {std::min(extent.start, more.start), std::max(extent.end, more.end)};
        ++end_;
    } while (end_ < count && in_block(end_) && !known_[end_].missing && !known_[end_].split);
    // As the map has it, until the device refused that.
    const bool whole = !known_[first_].split && (first_ == 0 || !in_block(first_ - 1U)) &&
                       (end_ == count || !in_block(end_));
    next =
        whole ? Question{block.table, block.start, block.count} : question_of(block.table, extent);
    return true;
}

void RegisterDevice::answer(const Question& asked, Bytes bytes, Instant /*now*/) {
    if (asking_identity_) {
        std::array<char, Label::capacity()> buffer{};
        Text text{buffer};
        if (identity(identity_ - 1U).kind == Identity::Kind::text) {
            put_device_text(bytes, text);
        } else {
            text.put(raw_value(bytes, WordOrder::abcd));
        }
        labels_[identity_ - 1U] = text.view();
        return;
    }
    for (std::size_t i = first_; i < end_; ++i) {
        const Row& row = map_.rows[i];
        const std::optional<std::int64_t> number =
            number_of(row, raw_in(row, asked, bytes), scale_of(row, asked, bytes));
        known_[i].present = number.has_value();
        known_[i].value = number.value_or(0) * sign_of(row);
    }
}

void RegisterDevice::refuse(const Question& asked) {
    if (asking_identity_) {
        return;  // it stays empty
    }
    const Extent least = extent_of(map_.rows[first_]);
    if (end_ - first_ > 1) {
        known_[first_].split = true;
        known_[static_cast<std::size_t>(first_ + end_) / 2].split = true;
        end_ = first_;  // from there again
    } else if (asked.count > least.end - least.start) {
        known_[first_].split = true;
        end_ = first_;
    } else {
        known_[first_].missing = true;
    }
}

std::int8_t RegisterDevice::sign_of(const Row& row) const {
    const bool turns =
        row.quantity == Quantity::power_w || row.quantity == Quantity::reactive_power_var;
    return turns && sign_ != 0 ? sign_ : row.sign;
}

void RegisterDevice::tell_identity(Instant now) {
    DeviceInfo info;
    info.name = name();
    info.driver = map_.name;
    Label* const labels[] = {&info.maker, &info.model, &info.version, &info.serial};
    for (std::size_t i = 0; i < identities; ++i) {
        if (identity(i).kind == Identity::Kind::constant) {
            *labels[i] = identity(i).constant;
        } else {
            *labels[i] = labels_[i];
        }
    }
    identified_ = true;
    out().identified(info, now);
}

Status RegisterDevice::finish(Instant now) {
    const bool any = std::any_of(
        known_.begin(), known_.end(), [](const Known& known) { return !known.missing; });
    if (!any) {
        forget();  // it has none of the rows: perhaps the wrong device, so all are tried again
        return JW_FAIL(unsupported);
    }
    if (!identified_) {
        tell_identity(now);
    }
    Reading reading;
    reading.device = name();
    for (std::size_t i = 0; i < known_.size(); ++i) {
        if (known_[i].present) {
            reading.values.put(map_.rows[i].quantity, map_.rows[i].index, known_[i].value);
        }
    }
    out().reading(reading, now);
    return done;
}

void RegisterDevice::forget() {
    identified_ = false;
    for (Label& label : labels_) {
        label = Label{};
    }
    for (Known& known : known_) {
        known = Known{};
    }
}

Status RegisterDevice::act(Quantity quantity, std::int64_t value, Instant now) {
    for (std::size_t i = 0; i < map_.rows.size(); ++i) {
        const Row& row = map_.rows[i];
        if (row.quantity != quantity || row.index != 0 || row.write_function == 0) {
            continue;
        }
        if (value < row.least || value > row.most) {
            return JW_FAIL(out_of_range);
        }
        const std::optional<std::uint64_t> raw = raw_of(row, value * sign_of(row));
        if (!raw) {
            return JW_FAIL(out_of_range);
        }
        JW_TRY(start_act(now));
        acting_row_ = static_cast<std::uint8_t>(i);
        acting_raw_ = *raw;
        return done;
    }
    return JW_FAIL(unsupported);
}

bool RegisterDevice::write(unsigned number, Writer& pdu) {
    if (number > 0) {
        return false;
    }
    const Row& row = map_.rows[acting_row_];
    std::array<std::uint8_t, 8> data{};
    Writer bytes{data};
    put_raw(row, acting_raw_, bytes);
    if (row.write_function == 5) {
        CHECK(modbus::encode_write_coil(pdu, row.address, acting_raw_ != 0).has_value());
    } else if (row.write_function == 6) {
        const std::uint16_t word = modbus::register_at(bytes.written(), 0);
        CHECK(modbus::encode_write_register(pdu, row.address, word).has_value());
    } else {
        modbus::Request request;
        request.function = modbus::Function::write_registers;
        request.address = row.address;
        request.count = format_size(row.format);
        request.data = bytes.written();
        CHECK(modbus::encode_request(pdu, request).has_value());
    }
    return true;
}

Question RegisterDevice::read_back() const {
    const Row& row = map_.rows[acting_row_];
    return question_of(row.table, extent_of(row));
}

std::optional<std::int64_t> RegisterDevice::value_read(Bytes bytes, bool& same, Instant /*now*/) {
    const Row& row = map_.rows[acting_row_];
    const std::uint64_t raw = raw_in(row, read_back(), bytes);
    same = raw == acting_raw_;
    const std::optional<std::int64_t> number = number_of(row, raw, 0);
    return number ? std::optional(*number * sign_of(row)) : std::nullopt;
}

Device* make_loaded(Arena& arena, const DeviceSettings& settings, DeviceOut& out) {
    CHECK(settings.map != nullptr);
    return &arena.make<RegisterDevice>(*settings.map, arena, settings, out);
}

}  // namespace jw::registers
