// SPDX-License-Identifier: Apache-2.0
// The SunSpec driver against a device made of registers: discovery, readings, signs, power limit.
#include "core/device/sunspec/sunspec_device.h"

#include <array>
#include <cstring>

#include "core/base/test.h"
#include "core/device/registers/fake_device.h"
#include "core/device/sunspec/sunspec.h"

using namespace jw;
using namespace jw::registers;
using namespace jw::sunspec;

namespace {

constexpr std::uint16_t sf(int exponent) {
    return static_cast<std::uint16_t>(exponent);
}

/// A chain of models in registers; what is not set is "not implemented".
class Chain {
  public:
    Chain() {
        words_.fill(0xFFFF);
        words_[0] = 0x5375;
        words_[1] = 0x6E53;
    }
    /// Appends a model and returns its registers, beginning with the id.
    std::span<std::uint16_t> add(std::uint16_t id, std::uint16_t length) {
        const auto model = std::span(words_).subspan(size_, length + 2U);
        model[0] = id;
        model[1] = length;
        size_ += length + 2U;
        return model;
    }
    std::span<std::uint16_t> common(std::string_view maker, std::uint16_t length = 66) {
        const auto model = add(1, length);
        std::fill(model.begin() + 2, model.end(), std::uint16_t{0});
        put(model.subspan(2, 16), maker);
        put(model.subspan(18, 16), "TL-3");
        put(model.subspan(42, 8), "1.0");
        put(model.subspan(50, 16), "SN7");
        return model;
    }
    std::span<std::uint16_t> with_end(unsigned words = 2) {
        words_[size_] = 0xFFFF;
        words_[size_ + 1] = 0;
        return std::span(words_).first(size_ + words);
    }

  private:
    static void put(std::span<std::uint16_t> words, std::string_view text) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            const auto byte = static_cast<unsigned char>(text[i]);
            words[i / 2] =
                static_cast<std::uint16_t>(words[i / 2] | (i % 2 == 0 ? byte << 8 : byte));
        }
    }
    std::array<std::uint16_t, 1200> words_{};
    std::size_t size_ = 2;
};

/// An inverter at 5002 W with model 123, as most tests want it.
struct Inverter {
    Chain chain;
    std::span<std::uint16_t> ac;
    std::span<std::uint16_t> controls;

    explicit Inverter(std::string_view maker = "ACME", std::uint16_t common_length = 66) {
        chain.common(maker, common_length);
        ac = chain.add(103, 50);
        ac[14] = 5002;
        ac[15] = 0;
        ac[16] = 5001;
        ac[17] = sf(-2);
        ac[24] = 188;
        ac[25] = 24910;
        ac[26] = 0;
        ac[31] = 0x8000;
        controls = chain.add(123, 24);
        controls[5] = 10000;
        controls[7] = 0;
        controls[9] = 0;
        controls[23] = sf(-2);
    }
};

struct Bench {
    FakeDevice far;
    Recorder out;
    DeviceSettings settings;
    alignas(std::max_align_t) std::array<std::byte, 4096> memory{};
    Device* device = nullptr;
    Instant now{};

    Bench(std::span<std::uint16_t> words, std::uint16_t base, DeviceSettings wanted = {})
        : settings(wanted) {
        EXPECT(far.shelves.push({Table::holding, base, words}));
        settings.name = "roof";
        Arena arena{memory};
        device = driver.make(arena, settings, out);
        EXPECT(arena.used() <= driver.memory);
    }
    void run(Duration duration) { now = far.run(*device->modbus(), now, now + duration); }
    [[nodiscard]] std::int64_t value(Quantity quantity, std::uint8_t index = 0) const {
        const Value* found = out.last.values.find(quantity, index);
        return found != nullptr ? found->number : -999'999;
    }
};

}  // namespace

TEST(sunspec_is_found_at_each_of_the_three_bases) {
    for (const std::uint16_t base : std::array<std::uint16_t, 3>{40000, 0, 50000}) {
        Inverter inverter;
        Bench bench(inverter.chain.with_end(), base);
        bench.run(milliseconds(900));
        EXPECT(bench.out.readings == 1);
        EXPECT(bench.value(Quantity::power_w) == 5002);
        EXPECT(bench.value(Quantity::frequency_mhz) == 50'010);
        EXPECT(bench.value(Quantity::energy_production_wh) == 12'345'678);
        EXPECT(bench.value(Quantity::power_limit_permille) == 1000);
        EXPECT(bench.out.last.values.find(Quantity::dc_power_w) == nullptr);
        EXPECT(bench.out.info.maker == "ACME" && bench.out.info.model == "TL-3");
        EXPECT(bench.out.info.version == "1.0" && bench.out.info.serial == "SN7");
        EXPECT(bench.out.info.driver == "sunspec");
    }
}

TEST(a_common_model_may_have_65_registers) {
    Inverter inverter("ACME", 65);
    Bench bench(inverter.chain.with_end(), 40000);
    bench.run(milliseconds(900));
    EXPECT(bench.value(Quantity::power_w) == 5002);
}

TEST(unknown_models_are_skipped_by_their_length) {
    Chain chain;
    chain.common("ACME");
    (void)chain.add(64999, 200);
    const auto ac = chain.add(101, 50);
    ac[14] = 7;
    ac[15] = 1;
    Bench bench(chain.with_end(), 0);
    bench.run(milliseconds(900));
    EXPECT(bench.value(Quantity::power_w) == 70);
}

TEST(the_end_of_the_chain_may_lack_its_length_or_be_missing) {
    for (const unsigned words : {0U, 1U}) {
        Inverter inverter;
        Bench bench(inverter.chain.with_end(words), 40000);
        bench.run(milliseconds(900));
        EXPECT(bench.value(Quantity::power_w) == 5002);
    }
}

TEST(a_device_without_the_marker_is_refused_and_searched_again) {
    std::array<std::uint16_t, 100> words{};
    Bench bench(words, 40000);
    bench.run(milliseconds(900));
    EXPECT(bench.out.readings == 0);
    EXPECT(bench.out.error == Code::unsupported);
    Inverter inverter;
    bench.far.shelves[0].values = inverter.chain.with_end();
    bench.run(seconds(5));
    EXPECT(bench.out.readings > 0);
}

TEST(a_base_where_the_device_is_silent_does_not_hide_the_others) {
    Inverter inverter;
    Bench bench(inverter.chain.with_end(), 50000);
    bench.far.silent_where_empty = true;
    bench.run(seconds(10));
    EXPECT(bench.value(Quantity::power_w) == 5002);
}

TEST(a_second_common_model_begins_another_device_that_the_base_can_name) {
    Chain chain;
    chain.common("SolarEdge", 65);
    const auto ac = chain.add(103, 50);
    ac[14] = 5002;
    ac[15] = 0;
    chain.common("SolarEdge", 65);
    const auto meter = chain.add(203, 105);
    meter[18] = 1200;
    meter[22] = 0;
    Bench inverter(chain.with_end(), 40000);
    inverter.run(milliseconds(900));
    EXPECT(inverter.value(Quantity::power_w) == 5002);
    DeviceSettings settings;
    settings.base = 40121;
    Bench behind(chain.with_end(), 40000, settings);
    behind.run(milliseconds(900));
    // SolarEdge counts export as positive.
    EXPECT(behind.value(Quantity::power_w) == -1200);
    settings.sign = 1;
    Bench turned(chain.with_end(), 40000, settings);
    turned.run(milliseconds(900));
    EXPECT(turned.value(Quantity::power_w) == 1200);
}

TEST(what_is_not_implemented_is_absent_and_a_fresh_counter_is_zero) {
    Inverter inverter;
    inverter.ac[14] = 0x8000;
    inverter.ac[24] = inverter.ac[25] = 0;
    Bench bench(inverter.chain.with_end(), 0);
    bench.run(milliseconds(900));
    EXPECT(bench.out.last.values.find(Quantity::power_w) == nullptr);
    EXPECT(bench.value(Quantity::energy_production_wh) == 0);
    inverter.ac[26] = 0x8000;
    bench.run(seconds(1));
    EXPECT(bench.out.last.values.find(Quantity::energy_production_wh) == nullptr);
}

TEST(a_scale_factor_that_changes_between_reads_is_followed) {
    Inverter inverter;
    Bench bench(inverter.chain.with_end(), 0);
    bench.run(milliseconds(900));
    inverter.ac[14] = 500;
    inverter.ac[15] = 1;
    bench.run(seconds(1));
    EXPECT(bench.value(Quantity::power_w) == 5000);
    inverter.ac[15] = 11;  // beyond what SunSpec allows
    bench.run(seconds(1));
    EXPECT(bench.out.last.values.find(Quantity::power_w) == nullptr);
}

TEST(models_that_lie_close_together_are_read_with_one_question) {
    Inverter inverter;
    Bench bench(inverter.chain.with_end(), 0);
    bench.run(milliseconds(900));
    const std::size_t before = bench.far.questions.size();
    bench.run(seconds(1));
    EXPECT(bench.far.questions.size() - before == 1);
}

TEST(a_device_that_refuses_joined_questions_is_asked_model_by_model) {
    Inverter inverter;
    Bench bench(inverter.chain.with_end(), 0);
    bench.far.count_max = 66;
    bench.run(seconds(1));
    EXPECT(bench.value(Quantity::power_w) == 5002);
    EXPECT(bench.value(Quantity::power_limit_permille) == 1000);
    EXPECT(bench.out.failures == 0);
}

TEST(inputs_are_numbered_and_those_out_of_reach_count_only_with_an_unchanged_scale) {
    Chain chain;
    chain.common("ACME");
    const auto mppt = chain.add(160, 8 + 20 * 9);
    mppt[2] = mppt[3] = sf(-2);
    mppt[4] = sf(-1);
    mppt[5] = 0;
    for (std::uint16_t i = 0; i < 9; ++i) {
        mppt[10U + 20U * i + 11U] = static_cast<std::uint16_t>(1000 * (i + 1));
    }
    Bench bench(chain.with_end(), 0);
    bench.run(milliseconds(900));
    for (std::uint8_t i = 1; i <= 9; ++i) {
        EXPECT(bench.value(Quantity::dc_power_w, i) == 100 * i);
    }
    // Between two questions of the next poll the device changes its scale.
    bench.now = bench.device->modbus()->due();
    for (int i = 0; i < 3; ++i) {
        (void)bench.far.run(*bench.device->modbus(), bench.now, bench.now);
        bench.now = bench.now + milliseconds(10);
        mppt[4] = 0;
    }
    bench.run(milliseconds(500));
    EXPECT(bench.out.readings == 2);
    EXPECT(bench.value(Quantity::dc_power_w, 1) == 100);
    EXPECT(bench.out.last.values.find(Quantity::dc_power_w, 9) == nullptr);
}

TEST(a_storage_counts_charging_as_positive) {
    Chain chain;
    chain.common("ACME");
    const auto ports = chain.add(714, 18 + 2 * 25);
    ports[4] = 2;
    ports[17] = 0;
    ports[20] = 0;  // a roof
    ports[20 + 12] = 6000;
    ports[45] = 1;  // a storage, charging
    ports[45 + 12] = sf(-2400);
    const auto battery = chain.add(802, 62);
    battery[11] = 550;
    battery[56] = sf(-1);
    battery[47] = sf(-12);
    battery[63] = 2;
    Bench bench(chain.with_end(), 0);
    bench.run(milliseconds(900));
    EXPECT(bench.value(Quantity::dc_power_w, 1) == 6000);
    EXPECT(bench.value(Quantity::dc_power_w, 2) == 2400);
    EXPECT(bench.value(Quantity::power_w) == 1200);
    EXPECT(bench.value(Quantity::soc_permille) == 550);
}

TEST(the_power_limit_is_written_with_a_revert_time_then_enabled_and_read_back) {
    Inverter inverter;
    Bench bench(inverter.chain.with_end(), 40000);
    EXPECT(bench.device->act(Quantity::power_limit_permille, 600, bench.now).code() == Code::busy);
    bench.run(milliseconds(500));
    const std::size_t before = bench.far.questions.size();
    EXPECT(bench.device->act(Quantity::power_limit_permille, 600, bench.now).has_value());
    bench.run(milliseconds(200));
    EXPECT(bench.out.code == ResultCode::executed);
    EXPECT(bench.out.value == 600);
    EXPECT(inverter.controls[5] == 6000);
    EXPECT(inverter.controls[7] == 300);
    EXPECT(inverter.controls[9] == 1);
    const std::uint16_t model = 40000 + 2 + 68 + 52;
    EXPECT(bench.far.questions[before].address == model + 7);
    EXPECT(bench.far.questions[before + 1].address == model + 5);
    EXPECT(bench.far.questions[before + 2].address == model + 9);
    EXPECT(bench.value(Quantity::power_limit_permille) == 600);
    EXPECT(bench.value(Quantity::power_limit_enabled) == 1);
}

TEST(a_power_limit_is_renewed_before_the_device_falls_back_until_it_is_lifted) {
    Inverter inverter;
    DeviceSettings settings;
    settings.poll = seconds(10);
    Bench bench(inverter.chain.with_end(), 40000, settings);
    bench.run(milliseconds(500));
    EXPECT(bench.device->act(Quantity::power_limit_permille, 600, bench.now).has_value());
    bench.run(seconds(5));
    inverter.controls[5] = 10000;  // fell back, say after a restart
    inverter.controls[9] = 0;
    bench.run(seconds(120));
    EXPECT(inverter.controls[5] == 6000);
    EXPECT(inverter.controls[9] == 1);
    EXPECT(bench.out.acts == 1);
    EXPECT(bench.device->act(Quantity::power_limit_permille, 1000, bench.now).has_value());
    bench.run(seconds(5));
    EXPECT(bench.out.code == ResultCode::executed);
    EXPECT(inverter.controls[9] == 0);
    inverter.controls[5] = 1234;
    bench.run(seconds(300));
    EXPECT(inverter.controls[5] == 1234);
}

TEST(the_limit_of_model_704_names_what_to_fall_back_to) {
    Chain chain;
    chain.common("ACME");
    const auto controls = chain.add(704, 65);
    controls[14] = 0;
    controls[15] = 100;
    controls[18] = controls[19] = 0;
    controls[54] = 0;
    Bench bench(chain.with_end(), 0);
    bench.run(milliseconds(500));
    EXPECT(bench.device->act(Quantity::power_limit_permille, 300, bench.now).has_value());
    bench.run(milliseconds(200));
    EXPECT(bench.out.code == ResultCode::executed);
    EXPECT(controls[14] == 1);
    EXPECT(controls[15] == 30);
    EXPECT(controls[16] == 100 && controls[17] == 0);
    EXPECT(controls[18] == 0 && controls[19] == 300);
}

TEST(a_device_without_a_revert_time_is_limited_once) {
    Inverter inverter;
    inverter.controls[7] = 0xFFFF;
    Bench bench(inverter.chain.with_end(), 0);
    bench.run(milliseconds(500));
    EXPECT(bench.device->act(Quantity::power_limit_permille, 0, bench.now).has_value());
    bench.run(milliseconds(200));
    EXPECT(bench.out.code == ResultCode::executed);
    EXPECT(inverter.controls[7] == 0xFFFF);
    EXPECT(inverter.controls[5] == 0);
}

TEST(what_the_device_has_no_limit_for_is_refused) {
    Chain chain;
    chain.common("ACME");
    const auto ac = chain.add(101, 50);
    ac[14] = 1;
    Bench bench(chain.with_end(), 0);
    bench.run(milliseconds(500));
    EXPECT(bench.device->act(Quantity::power_limit_permille, 500, bench.now).code() ==
           Code::unsupported);
    EXPECT(bench.device->act(Quantity::relay_closed, 1, bench.now).code() == Code::unsupported);
    Inverter inverter;
    Bench limited(inverter.chain.with_end(), 0);
    limited.run(milliseconds(500));
    EXPECT(limited.device->act(Quantity::power_limit_permille, 1001, limited.now).code() ==
           Code::out_of_range);
    limited.far.writes_ignored = true;
    EXPECT(limited.device->act(Quantity::power_limit_permille, 500, limited.now).has_value());
    limited.run(milliseconds(200));
    EXPECT(limited.out.code == ResultCode::not_confirmed);
    EXPECT(limited.out.value == 1000);
}

TEST(after_silence_the_chain_is_searched_anew) {
    Inverter inverter;
    Bench bench(inverter.chain.with_end(), 0);
    bench.run(milliseconds(500));
    bench.far.silent = true;
    bench.run(seconds(200));
    EXPECT(bench.out.error == Code::timeout);
    Chain other;
    other.common("OTHER");
    const auto meter = other.add(201, 105);
    meter[18] = 77;
    meter[22] = 0;
    bench.far.shelves[0].values = other.with_end();
    bench.far.silent = false;
    bench.run(seconds(60));
    EXPECT(bench.out.info.maker == "OTHER");
    EXPECT(bench.value(Quantity::power_w) == 77);
}

TEST(random_registers_are_survived) {
    std::uint32_t seed = 1;
    for (int round = 0; round < 40; ++round) {
        Inverter inverter;
        const auto words = inverter.chain.with_end();
        for (std::size_t i = 68; i < words.size(); ++i) {
            seed = seed * 1664525 + 1013904223;
            if ((seed >> 28) == 0) {
                words[i] = static_cast<std::uint16_t>(seed >> 8);
            }
        }
        Bench bench(words, 0);
        bench.run(seconds(3));
        EXPECT(bench.out.identities > 0);
    }
}

TEST(decimals_are_exact) {
    const struct {
        std::int64_t number;
        int exponent;
        std::string_view text;
    } cases[] = {{5002, 0, "5002"},
                 {5002, -2, "50.02"},
                 {-9999, -2, "-99.99"},
                 {5540, -2, "55.4"},
                 {5, -3, "0.005"},
                 {0, -2, "0"},
                 {0, 5, "0"},
                 {15, 10, "150000000000"},
                 {-100, -2, "-1"},
                 {100, -1, "10"},
                 {-5, -1, "-0.5"},
                 {12, -1, "1.2"}};
    for (const auto& c : cases) {
        std::array<char, 40> buffer{};
        Text out{buffer};
        put_decimal(c.number, c.exponent, out);
        EXPECT(out.view() == c.text);
    }
}

static_assert(sizeof(SunSpecDevice) < 3 * 1024);
