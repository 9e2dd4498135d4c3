// SPDX-License-Identifier: Apache-2.0
// Drivers that are loaded at run time: reading the file, and saying what is wrong with it.
#include "host/device_description.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/device/registers/register_device.h"
#include "host/settings_check.h"

namespace jw {
namespace {

using Json = nlohmann::json;
using namespace registers;

constexpr std::size_t shown_size_max = 60;
constexpr std::array table_names{"coil", "discrete_input", "holding", "input"};
constexpr std::array format_names{"bit", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"};
constexpr std::array order_names{"abcd", "cdab", "badc", "dcba"};

bool is_driver_name(std::string_view name) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    };
    return !name.empty() && name.size() <= 32 && name[0] >= 'a' && name[0] <= 'z' &&
           std::all_of(name.begin(), name.end(), fits);
}

/// Bits in hexadecimal: "0xFFFF".
std::optional<std::uint64_t> bits_of(const std::string& text) {
    std::uint64_t bits = 0;
    if (!text.starts_with("0x") || text.size() < 3) {
        return std::nullopt;
    }
    const auto read = std::from_chars(text.data() + 2, text.data() + text.size(), bits, 16);
    return read.ec == std::errc{} && read.ptr == text.data() + text.size() ? std::optional(bits)
                                                                           : std::nullopt;
}

}  // namespace

/// Reads one file; what cannot be read is noted and stands as its default.
class DescriptionReader {
  public:
    DescriptionReader(std::string file, std::string stem)
        : file_(std::move(file)), stem_(std::move(stem)) {}

    DescriptionOutcome read(std::string_view text) {
        std::vector<SettingsError> refused;
        const std::optional<Json> data = settings::parse_document(text, refused);
        for (const SettingsError& error : refused) {
            const std::string place =
                error.line != 0 ? fmt::format(" in line {}, column {}", error.line, error.column)
                                : "";
            note(error.pointer, error.found + place, error.reason);
        }
        if (data && members("",
                            *data,
                            {"name", "title", "source", "identity", "blocks", "rows"},
                            {"registers_per_read_max", "test"})) {
            read_all(*data);
        }
        if (errors_.empty()) {
            check();
        }
        return outcome();
    }
    DescriptionOutcome refuse(const std::string& reason) {
        note("", "", reason);
        return outcome();
    }

  private:
    DescriptionOutcome outcome() {
        DescriptionOutcome made;
        made.errors = std::move(errors_);
        if (made.errors.empty()) {
            made.description = std::move(made_);
        }
        return made;
    }

    void note(std::string pointer, std::string found, std::string reason) {
        errors_.push_back({file_, std::move(pointer), std::move(found), std::move(reason)});
    }
    void wrong(const std::string& pointer, const Json& found, std::string reason) {
        std::string text = found.dump(-1, ' ', false, Json::error_handler_t::replace);
        if (text.size() > shown_size_max) {
            text = text.substr(0, shown_size_max) + "…";
        }
        note(pointer, std::move(text), std::move(reason));
    }

    using Keys = std::initializer_list<const char*>;
    bool members(const std::string& at, const Json& object, Keys needed, Keys optional = {}) {
        if (!object.is_object()) {
            wrong(at, object, "must be an object");
            return false;
        }
        const auto is = [](const std::string& key) {
            return [&key](const char* known) { return key == known; };
        };
        for (const auto& [key, value] : object.items()) {
            if (std::none_of(needed.begin(), needed.end(), is(key)) &&
                std::none_of(optional.begin(), optional.end(), is(key))) {
                wrong(fmt::format("{}/{}", at, key), value, "is not known here");
            }
        }
        const std::size_t before = errors_.size();
        for (const char* key : needed) {
            if (!object.contains(key)) {
                note(at + "/" + key, "", "is missing");
            }
        }
        return errors_.size() == before;
    }

    template <class T>
    T number(const std::string& at, const Json& value, std::int64_t least, std::int64_t most) {
        if (value.is_number_integer() &&
            !(value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX)) {
            const auto read = value.get<std::int64_t>();
            if (read >= least && read <= most) {
                return static_cast<T>(read);
            }
        }
        wrong(at, value, fmt::format("must be a whole number from {} to {}", least, most));
        return static_cast<T>(least);
    }

    /// The place of the value among the names.
    template <std::size_t N>
    std::size_t choice(const std::string& at,
                       const Json& value,
                       const std::array<const char*, N>& names) {
        for (std::size_t i = 0; i < N; ++i) {
            if (value == names[i]) {
                return i;
            }
        }
        wrong(at, value, fmt::format("must be one of {}", fmt::join(names, ", ")));
        return 0;
    }
    Table table(const std::string& at, const Json& value) {
        return static_cast<Table>(choice(at, value, table_names) + 1);
    }

    std::string text(const std::string& at, const Json& value, std::size_t size_max) {
        if (value.is_string() && value.get<std::string>().size() <= size_max) {
            return value.get<std::string>();
        }
        wrong(at, value, fmt::format("must be text of at most {} bytes", size_max));
        return {};
    }

    /// Calls `each` for the items of an array that must not be empty.
    template <class Each>
    void items(const std::string& at, const Json& array, const Each& each) {
        if (!array.is_array() || array.empty()) {
            wrong(at, array, "must be an array of at least one");
            return;
        }
        for (std::size_t i = 0; i < array.size(); ++i) {
            each(fmt::format("{}/{}", at, i), array[i]);
        }
    }

    void read_all(const Json& data) {
        DeviceDescription& made = *made_;
        made.name_ = text("/name", data["name"], 32);
        if (!is_driver_name(made.name_)) {
            wrong("/name", data["name"], "must be of a-z, 0-9 and _, beginning with a letter");
        } else if (made.name_ != stem_) {
            wrong("/name", data["name"], "must be the name of the file, " + stem_);
        }
        made.title = text("/title", data["title"], 96);
        text("/source", data["source"], 400);
        if (members("/identity", data["identity"], {"maker", "model"}, {"version", "serial"})) {
            const Json& who = data["identity"];
            made.map.maker = identity("/identity/maker", who["maker"]);
            made.map.model = identity("/identity/model", who["model"]);
            made.map.version = identity("/identity/version", who.value("version", Json("")));
            made.map.serial = identity("/identity/serial", who.value("serial", Json("")));
        }
        if (data.contains("registers_per_read_max")) {
            made.map.registers_per_read_max = number<std::uint16_t>(
                "/registers_per_read_max", data["registers_per_read_max"], 1, 125);
        }
        items("/blocks", data["blocks"], [&](const std::string& at, const Json& value) {
            block(at, value);
        });
        items("/rows", data["rows"], [&](const std::string& at, const Json& value) {
            row(at, value);
        });
    }

    Identity identity(const std::string& at, const Json& value) {
        Identity read;
        if (!value.is_object()) {
            made_->texts_.push_back(text(at, value, 32));
            read.constant = made_->texts_.back();
            return read;
        }
        if (members(at, value, {"table", "start", "count", "format"})) {
            constexpr std::array kinds{"text", "number"};
            read.kind = choice(at + "/format", value["format"], kinds) == 0
                            ? Identity::Kind::text
                            : Identity::Kind::number;
            read.table = table(at + "/table", value["table"]);
            read.start = number<std::uint16_t>(at + "/start", value["start"], 0, 65535);
            read.count = number<std::uint16_t>(at + "/count", value["count"], 1, 16);
        }
        return read;
    }

    void block(const std::string& at, const Json& value) {
        if (members(at, value, {"table", "start", "count"})) {
            made_->blocks_.push_back(
                {table(at + "/table", value["table"]),
                 number<std::uint16_t>(at + "/start", value["start"], 0, 65535),
                 number<std::uint16_t>(at + "/count", value["count"], 1, 2000)});
        }
    }

    void row(const std::string& at, const Json& value) {
        if (!members(at,
                     value,
                     {"name", "table", "address", "format"},
                     {"order", "multiply", "divide", "sign", "scale", "absent", "set"})) {
            return;
        }
        Row read;
        const Json& name = value["name"];
        if (!name.is_string() || !parse_name(name.get<std::string>(), read.quantity, read.index)) {
            wrong(at + "/name", name, "is no quantity");
        }
        read.table = table(at + "/table", value["table"]);
        read.address = number<std::uint16_t>(at + "/address", value["address"], 0, 65535);
        read.format = static_cast<Format>(choice(at + "/format", value["format"], format_names));
        for (const auto& [key, given] : value.items()) {
            option(fmt::format("{}/{}", at, key), key, given, read);
        }
        made_->rows_.push_back(read);
        made_->capabilities_.push_back({read.quantity,
                                        read.index,
                                        read.write_function != 0 && read.index == 0,
                                        read.least,
                                        read.most});
    }

    /// A member of a row that may be left out.
    void option(const std::string& at, const std::string& key, const Json& value, Row& read) {
        constexpr std::int64_t factor = registers::factor_most;
        constexpr std::int64_t far = std::int64_t{1} << 53;
        if (key == "order") {
            read.order = static_cast<WordOrder>(choice(at, value, order_names));
        } else if (key == "multiply") {
            read.multiply = number<std::uint32_t>(at, value, 1, factor);
        } else if (key == "divide") {
            read.divide = number<std::uint32_t>(at, value, 1, factor);
        } else if (key == "sign") {
            read.sign = number<std::int8_t>(at, value, -1, 1);
        } else if (key == "scale") {
            read.scale_register = number<std::int32_t>(at, value, 0, 65535);
        } else if (key == "absent") {
            std::vector<std::uint64_t>& patterns = made_->absents_.emplace_back();
            items(at, value, [&](const std::string& place, const Json& pattern) {
                const auto bits =
                    pattern.is_string() ? bits_of(pattern.get<std::string>()) : std::nullopt;
                if (!bits) {
                    wrong(place, pattern, "must be the bits in hexadecimal: \"0xFFFF\"");
                }
                patterns.push_back(bits.value_or(0));
            });
            read.absent = patterns;
        } else if (key == "set" && members(at, value, {"function", "least", "most"})) {
            read.write_function = number<std::uint8_t>(at + "/function", value["function"], 5, 16);
            read.least = number<std::int64_t>(at + "/least", value["least"], -far, far);
            read.most = number<std::int64_t>(at + "/most", value["most"], -far, far);
        }
    }

    /// What the rows mean, and the driver.
    void check() {
        DeviceDescription& made = *made_;
        made.map.name = made.name_;
        made.map.blocks = made.blocks_;
        made.map.rows = made.rows_;
        const MapError error = validate(made.map);
        if (error.problem != Problem::none) {
            constexpr std::array parts{"",
                                       "/blocks",
                                       "/rows",
                                       "/identity/maker",
                                       "/identity/model",
                                       "/identity/version",
                                       "/identity/serial"};
            std::string pointer = parts[static_cast<std::size_t>(error.part)];
            std::string found;
            if (error.part == Part::row) {
                pointer += fmt::format("/{}", error.at);
                std::array<char, 64> buffer{};
                Text name{buffer};
                put_name(made.rows_[error.at].quantity, made.rows_[error.at].index, name);
                found = name.view();
            } else if (error.part == Part::block) {
                pointer += fmt::format("/{}", error.at);
                found = fmt::format("start {}, count {}",
                                    made.blocks_[error.at].start,
                                    made.blocks_[error.at].count);
            }
            note(pointer, found, std::string(problem_text(error.problem)));
            return;
        }
        made.driver.name = made.name_.c_str();
        made.driver.line = LineKind::modbus;
        made.driver.memory = memory_of(made.map);
        made.driver.capabilities = made.capabilities_;
        made.driver.make = make_loaded;
    }

    std::string file_;
    std::string stem_;
    std::unique_ptr<DeviceDescription> made_ = std::make_unique<DeviceDescription>();
    std::vector<DescriptionError> errors_;
};

std::string DescriptionError::text() const {
    std::string line = file;
    for (const std::string* part : {&pointer, &found}) {
        if (!part->empty()) {
            line += ": " + *part;
        }
    }
    return line + ": " + reason;
}

DescriptionOutcome parse_description(std::string_view text, const std::filesystem::path& file) {
    DescriptionReader reader(file.string(), file.stem().string());
    return text.size() > description_size_max ? reader.refuse("is larger than 1 MiB")
                                              : reader.read(text);
}

DescriptionOutcome load_description(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::string text(description_size_max + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (in.bad() || (in.fail() && !in.eof())) {
        return DescriptionReader(file.string(), "").refuse("cannot be read");
    }
    text.resize(static_cast<std::size_t>(in.gcount()));
    return parse_description(text, file);
}

}  // namespace jw
