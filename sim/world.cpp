// SPDX-License-Identifier: Apache-2.0
// The course of a world.
#include "sim/world.h"

#include <array>
#include <cstdio>

#include "sim/world_gateway.h"

namespace jw::sim {
namespace {

constexpr Duration healing_max = seconds(600);
constexpr Duration settle = seconds(60);  // what is accepted at the very end may be under way
constexpr Duration unthinned_max = seconds(120);  // from then on until readings are kept as set
constexpr std::int64_t noon_ms = 1'790'000'000'000;
constexpr std::uint32_t journal_blocks = 8;
constexpr unsigned steps_max = 10'000;  // at one instant; more: it spins

class World {
  public:
    explicit World(const WorldSettings& settings);
    WorldReport run();

  private:
    static std::uint32_t draw_faults(Random& random);
    void draw_plan();
    void draw_device(std::size_t number);
    void run_until(Instant end);
    void step();
    void answer_syncs();
    void boot();
    void cut_power();
    void command();
    void heal();
    [[nodiscard]] std::int64_t unix_ms_now() const { return noon_ms + stage_.now.ms(); }

    WorldSettings settings_;
    WorldStage stage_;
    WorldChecker checker_;
    WorldPlan plan_;
    std::vector<std::unique_ptr<WorldWire>> wires_;
    std::optional<WorldBroker> broker_;
    std::optional<SimStorage> records_;
    std::optional<SimStorage> commands_;
    std::unique_ptr<WorldGateway> gateway_;
    std::uint64_t life_ = 0;
    std::array<bool, 2> answering_{};  // a sync's answer is on its way
    Instant due_ = never;
    Instant stepped_at_{-1};
    unsigned steps_ = 0;
    std::uint64_t command_ = 0;
    WorldReport report_;
};

std::uint32_t World::draw_faults(Random& random) {
    std::uint32_t faults = 0;
    // Few, some or most of them.
    const std::uint64_t share = 1 + random.below(3);
    for (unsigned i = 0; i < world_faults; ++i) {
        faults |= random.below(4) < share ? 1U << i : 0;
    }
    const auto without = [&](WorldFault fault) { faults &= ~(1U << static_cast<unsigned>(fault)); };
    if ((faults >> static_cast<unsigned>(WorldFault::forgetful) & 1U) != 0) {
        without(WorldFault::small_store);  // what is not durable may then be given up
    }
    return faults;
}

World::World(const WorldSettings& settings)
    : settings_(settings), stage_(settings.seed), checker_(stage_) {
    stage_.faults = draw_faults(stage_.random);
    report_.seed = settings.seed;
    report_.faults = stage_.faults;
    draw_plan();
    const auto shape =
        stage_.has(WorldFault::flash) ? SimStorage::Shape::flash : SimStorage::Shape::file;
    const std::uint32_t blocks = stage_.has(WorldFault::small_store) ? 40 : 400;
    records_.emplace(shape, blocks, stage_.random.next());
    commands_.emplace(shape, journal_blocks, stage_.random.next());
    broker_.emplace(stage_, checker_);
    std::size_t first = 0;
    while (first < plan_.devices.size()) {
        const std::size_t meters =
            std::min<std::size_t>(plan_.devices.size() - first, 1 + stage_.random.below(3));
        wires_.push_back(
            std::make_unique<WorldWire>(stage_, checker_, wires_.size(), first, meters));
        for (std::size_t i = 0; i < meters; ++i) {
            plan_.devices[first + i].unit = static_cast<std::uint8_t>(i + 1);
        }
        first += meters;
    }
}

void World::draw_plan() {
    const std::size_t devices = 1 + stage_.random.below(12);
    for (std::size_t i = 0; i < devices; ++i) {
        draw_device(i);
    }
    report_.devices = devices;
    plan_.outbox.segment_blocks = stage_.has(WorldFault::small_store) ? 2 : 4;
    plan_.outbox.sink_slots = 1;
    ClassSettings& telemetry =
        plan_.outbox.classes[static_cast<std::size_t>(RecordClass::telemetry)];
    telemetry.commit = stage_.random.one_in(3) ? Duration{} : seconds(10);
    if (stage_.has(WorldFault::thin_out)) {
        telemetry.when_full = WhenFull::thin_out;
    }
    plan_.delivery.records_max = 1 + static_cast<std::uint32_t>(stage_.random.below(40));
    plan_.delivery.fresh_first = stage_.has(WorldFault::fresh_first);
    plan_.delivery.backlog_min = 40;
    plan_.window = 1 + stage_.random.below(20);
}

void World::draw_device(std::size_t number) {
    constexpr std::array polls{milliseconds(100),
                               seconds(1),
                               seconds(1),
                               seconds(5),
                               seconds(10),
                               seconds(60),
                               seconds(300),
                               seconds(900)};
    constexpr std::array keeps{seconds(10), seconds(60), seconds(60), seconds(300)};
    DeviceSettings settings;
    settings.name = "meter-" + std::to_string(number);
    settings.driver = "demo_meter";
    settings.poll = polls[stage_.random.below(polls.size())];
    const bool every = settings.poll >= seconds(10) && stage_.random.one_in(2);
    settings.keep = every ? Duration{} : keeps[stage_.random.below(keeps.size())];
    plan_.devices.push_back(settings);
}

void World::boot() {
    ++life_;
    answering_ = {};
    gateway_ =
        std::make_unique<WorldGateway>(stage_, checker_, *broker_, *records_, *commands_, plan_);
    if (const Status started = gateway_->start(wires_); !started) {
        checker_.wrong(std::string("the gateway does not start: ") + code_name(started.code()));
        gateway_.reset();
        return;
    }
    const std::int64_t unix_ms = unix_ms_now();
    checker_.boot(gateway_->boot(), unix_ms);
    const Duration learned = stage_.on(WorldFault::late_clock)
                                 ? stage_.between(seconds(1), seconds(600))
                                 : stage_.between(milliseconds(0), seconds(1));
    const auto learn = [this, unix_ms, life = life_] {
        if (gateway_ && life == life_) {
            gateway_->learn_time(unix_ms);
        }
    };
    stage_.after(learned, learn);
    for (const auto& wire : wires_) {
        wire->attach(gateway_.get());
    }
    broker_->attach(gateway_.get());
    due_ = stage_.now;
    if (stage_.on(WorldFault::power_cut)) {
        const bool soon = stage_.random.one_in(3);
        stage_.after(stage_.between(milliseconds(1), soon ? seconds(5) : seconds(900)),
                     [this, life = life_] {
                         if (gateway_ && life == life_ && !stage_.healing) {
                             cut_power();
                         }
                     });
    }
}

void World::cut_power() {
    ++report_.power_cuts;
    report_.thinned += gateway_->thinned();
    gateway_.reset();
    for (const auto& wire : wires_) {
        wire->attach(nullptr);
    }
    broker_->attach(nullptr);
    records_->cut_power(static_cast<Persistence>(stage_.random.below(4)));
    commands_->cut_power(static_cast<Persistence>(stage_.random.below(4)));
    due_ = never;
    stage_.after(stage_.between(milliseconds(500), seconds(60)), [this] { boot(); });
}

void World::answer_syncs() {
    for (std::size_t i = 0; i < 2; ++i) {
        SimStorage& storage = i == 0 ? *records_ : *commands_;
        if (!storage.syncing() || answering_[i]) {
            continue;
        }
        answering_[i] = true;
        const bool slow = stage_.random.one_in(50);
        stage_.after(stage_.between(microseconds(100), slow ? seconds(3) : milliseconds(20)),
                     [this, i, &storage, life = life_] {
                         if (!gateway_ || life != life_) {
                             return;
                         }
                         answering_[i] = false;
                         if (stage_.on(WorldFault::failing_sync) && stage_.random.one_in(20)) {
                             storage.fail_syncs(1);
                             ++report_.failed_syncs;
                         }
                         const auto answer = storage.answer();
                         i == 0 ? gateway_->records_synced(*answer)
                                : gateway_->commands_synced(*answer);
                     });
    }
}

void World::command() {
    const std::size_t unit = stage_.random.below(plan_.devices.size());
    const Name target = plan_.devices[unit].name;
    if (!stage_.healing && !broker_->waits_for(target)) {
        Command command;
        const std::uint64_t number = ++command_;
        command.id = "c-" + std::to_string(number);
        command.issuer = "operator";
        command.target = target;
        command.counter = number;
        command.quantity = "relay_closed";
        command.value = static_cast<std::int64_t>(stage_.random.below(2));
        const Duration valid = stage_.between(seconds(60), seconds(600));
        command.expiry_ms = unix_ms_now() + valid.ms();
        checker_.commanded(number, unit, command.value != 0, stage_.now + valid);
        broker_->request(command);
    }
    stage_.after(stage_.between(seconds(1), seconds(120)), [this] { command(); });
}

void World::step() {
    stage_.run();
    for (const auto& wire : wires_) {
        wire->deliver();
    }
    if (gateway_) {
        due_ = gateway_->step();
        answer_syncs();
    }
    steps_ = stepped_at_ == stage_.now ? steps_ + 1 : 0;
    stepped_at_ = stage_.now;
    if (steps_ > steps_max) {
        checker_.wrong("the gateway spins");
    }
}

void World::run_until(Instant end) {
    while (checker_.broken().empty()) {
        Instant next = earlier(stage_.next(), due_);
        for (const auto& wire : wires_) {
            next = earlier(next, wire->next());
        }
        if (next > end) {
            stage_.now = end;
            return;
        }
        stage_.now = later(stage_.now, next);
        step();
    }
}

void World::heal() {
    stage_.healing = true;
    const Instant from = stage_.now;
    const Instant end = from + healing_max;
    bool healed = false;
    while (!healed && stage_.now < end && checker_.broken().empty()) {
        run_until(stage_.now + seconds(5));
        healed = !broker_->has_requests() && checker_.complete(later(from, stage_.now - settle));
    }
    report_.healed_after_ms = (stage_.now - from).ms();
    const Instant thinned_end = stage_.now + unthinned_max;
    while (gateway_ && gateway_->thins() && checker_.broken().empty()) {
        run_until(stage_.now + seconds(1));
        if (stage_.now >= thinned_end) {
            checker_.wrong("readings are still kept less often than set");
        }
    }
    report_.thinned += gateway_ ? gateway_->thinned() : 0;
    checker_.finish(later(from, stage_.now - settle));
    if (broker_->has_requests()) {
        checker_.wrong("a command was never cleared");
    }
}

WorldReport World::run() {
    boot();
    if (stage_.has(WorldFault::command)) {
        stage_.after(seconds(5), [this] { command(); });
    }
    run_until(stage_.now + settings_.faulty);
    heal();
    report_.device_ms = stage_.now.ms() * static_cast<std::int64_t>(plan_.devices.size());
    report_.counts = checker_.counts();
    report_.broken = checker_.broken();
    report_.breaks = broker_->breaks();
    for (const auto& wire : wires_) {
        report_.breaks += wire->breaks();
    }
    report_.trace = stage_.trace.value();
    return report_;
}

}  // namespace

WorldReport run_world(const WorldSettings& settings) {
    World world(settings);
    return world.run();
}

std::string to_json(const WorldReport& report) {
    const auto number = [](const char* name, std::uint64_t value) {
        return std::string(",\"") + name + "\":" + std::to_string(value);
    };
    const WorldCounts& counts = report.counts;
    std::string text = "{\"seed\":" + std::to_string(report.seed);
    text += number("devices", report.devices) + ",\"faults\":[";
    bool first = true;
    for (std::size_t i = 0; i < world_faults; ++i) {
        if ((report.faults >> i & 1U) != 0) {
            text += std::string(first ? "\"" : ",\"") + enum_names(WorldFault{})[i] + "\"";
            first = false;
        }
    }
    text += "]" + number("device_s", static_cast<std::uint64_t>(report.device_ms / 1000));
    text += number("accepted", counts.accepted) + number("delivered", counts.delivered);
    text += number("repeated", counts.repeated) + number("gaps", counts.gaps);
    text += number("lost", counts.lost) + number("invented", counts.invented);
    text += number("changed", counts.changed) + number("disordered", counts.disordered);
    text += number("commands", counts.commands) + number("executed", counts.executed);
    text += number("executed_twice", counts.executed_twice);
    text += number("unreported", counts.unreported) + number("power_cuts", report.power_cuts);
    text += number("thinned", report.thinned);
    text += number("failed_syncs", report.failed_syncs) + number("breaks", report.breaks);
    text += number("healed_after_ms", static_cast<std::uint64_t>(report.healed_after_ms));
    std::array<char, 17> trace{};
    std::snprintf(
        trace.data(), trace.size(), "%016llx", static_cast<unsigned long long>(report.trace));
    text += std::string(",\"trace\":\"") + trace.data() + "\"";
    if (!report.broken.empty()) {
        text += ",\"broken\":\"" + report.broken + "\"";
    }
    return text + "}";
}

}  // namespace jw::sim
