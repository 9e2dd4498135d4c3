// SPDX-License-Identifier: Apache-2.0
// Metrics for Prometheus, text format 0.0.4: base units, few labels, nothing of a person.
#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/fields.h"
#include "host/http/api.h"

namespace jw::http {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

double of(std::uint64_t number) {
    return static_cast<double>(number);
}
double of(std::int64_t number) {
    return static_cast<double>(number);
}
double seconds_of(Duration span) {
    return static_cast<double>(span.us) / 1e6;
}

/// The families in the order in which they are first named.
class Families {
  public:
    void gauge(const char* name, const char* help, const Labels& labels, double value) {
        add(name, help, MetricType::Gauge, labels).gauge.value = value;
    }
    void counter(const char* name, const char* help, const Labels& labels, double value) {
        add(name, help, MetricType::Counter, labels).counter.value = value;
    }
    void histogram(const char* name,
                   const char* help,
                   const Labels& labels,
                   const DurationCounts& durations) {
        ClientMetric::Histogram& out = add(name, help, MetricType::Histogram, labels).histogram;
        for (std::size_t i = 0; i < durations.counts.size(); ++i) {
            out.sample_count += durations.counts[i];
            if (i < DurationCounts::bounds_count) {
                out.bucket.push_back({out.sample_count, seconds_of(DurationCounts::bounds()[i])});
            }
        }
        out.sample_sum = seconds_of(durations.sum);
    }
    [[nodiscard]] std::string text() const {
        std::ostringstream out;
        prometheus::TextSerializer().Serialize(out, families_);
        return out.str();
    }

  private:
    ClientMetric& add(const char* name, const char* help, MetricType type, const Labels& labels) {
        MetricFamily* family = nullptr;
        for (MetricFamily& known : families_) {
            family = known.name == name ? &known : family;
        }
        if (family == nullptr) {
            family = &families_.emplace_back();
            family->name = name;
            family->help = help;
            family->type = type;
        }
        ClientMetric& metric = family->metric.emplace_back();
        metric.label = labels;
        return metric;
    }

    std::vector<MetricFamily> families_;
};

/// A quantity as Prometheus wants it: base units, the name says what, a label says which.
struct ValueMetric {
    Quantity quantity;
    const char* name;
    const char* help;
    const char* label;  // null: none beside the device
    const char* kind;   // its value; null: the index, as phase or place
    double scale;
    bool counter;
};

constexpr const char* power_help = "Power: import, production and charging are positive.";
constexpr const char* energy_help = "Energy counted by the device.";

constexpr ValueMetric value_metrics[] = {
    {Quantity::power_w, "jouleway_device_power_watts", power_help, "kind", "total", 1, false},
    {Quantity::dc_power_w, "jouleway_device_power_watts", power_help, "kind", "dc", 1, false},
    {Quantity::energy_import_wh,
     "jouleway_device_energy_joules_total",
     energy_help,
     "direction",
     "import",
     3600,
     true},
    {Quantity::energy_export_wh,
     "jouleway_device_energy_joules_total",
     energy_help,
     "direction",
     "export",
     3600,
     true},
    {Quantity::energy_production_wh,
     "jouleway_device_energy_joules_total",
     energy_help,
     "direction",
     "production",
     3600,
     true},
    {Quantity::energy_charge_wh,
     "jouleway_device_energy_joules_total",
     energy_help,
     "direction",
     "charge",
     3600,
     true},
    {Quantity::energy_discharge_wh,
     "jouleway_device_energy_joules_total",
     energy_help,
     "direction",
     "discharge",
     3600,
     true},
    {Quantity::voltage_mv,
     "jouleway_device_voltage_volts",
     "Voltage against neutral.",
     "phase",
     nullptr,
     1e-3,
     false},
    {Quantity::current_ma,
     "jouleway_device_current_amperes",
     "Current.",
     "phase",
     nullptr,
     1e-3,
     false},
    {Quantity::temperature_mc,
     "jouleway_device_temperature_celsius",
     "Temperature.",
     "place",
     nullptr,
     1e-3,
     false},
    {Quantity::soc_permille,
     "jouleway_device_state_of_charge_ratio",
     "State of charge, 0 to 1.",
     nullptr,
     nullptr,
     1e-3,
     false},
};

/// P1 counts its tariffs apart: their sum is the energy of the meter.
std::optional<double> whole_of(const DeviceSnapshot& device, Quantity quantity) {
    std::optional<double> sum;
    for (const LatestValue& latest : device.values) {
        if (latest.value.quantity != quantity) {
            continue;
        }
        if (latest.value.index == 0) {
            return of(latest.value.number);
        }
        if (info(quantity).indexed == Indexed::tariff) {
            sum = sum.value_or(0) + of(latest.value.number);
        }
    }
    return sum;
}

void put_value(const DeviceSnapshot& device,
               const std::string& name,
               const ValueMetric& metric,
               Families& out) {
    const auto put = [&](const Labels& labels, double number) {
        const double value = number * metric.scale;
        if (metric.counter) {
            out.counter(metric.name, metric.help, labels, value);
        } else {
            out.gauge(metric.name, metric.help, labels, value);
        }
    };
    if (metric.label == nullptr || metric.kind != nullptr) {
        if (const auto number = whole_of(device, metric.quantity)) {
            Labels labels{{"device", name}};
            if (metric.label != nullptr) {
                labels.push_back({metric.label, metric.kind});
            }
            put(labels, *number);
        }
        return;
    }
    const bool phase = info(metric.quantity).indexed == Indexed::phase;
    for (const LatestValue& latest : device.values) {
        if (latest.value.quantity == metric.quantity) {
            const std::string which =
                latest.value.index == 0 ? (phase ? "all" : "0")
                                        : fmt::format("{}{}", phase ? "l" : "", latest.value.index);
            put({{"device", name}, {metric.label, which}}, of(latest.value.number));
        }
    }
}

void put_devices(const GatewayView& view, Families& out) {
    const Instant now = view.now();
    const auto unix_ms = view.unix_ms();
    for (const DeviceSnapshot& device : view.snapshot().devices()) {
        const std::string name(device.name.view());
        const Labels labels{{"device", name}};
        out.counter("jouleway_readings_total",
                    "Readings taken.",
                    labels,
                    of(std::uint64_t{device.readings}));
        out.counter("jouleway_readings_rejected_total",
                    "Polls that brought no reading.",
                    {{"device", name}, {"reason", "no_reading"}},
                    of(std::uint64_t{device.errors}));
        out.gauge("jouleway_device_up",
                  "1 while the device answers.",
                  labels,
                  device.state == DeviceState::online ? 1 : 0);
        if (unix_ms && device.last_reading >= Instant{}) {
            const Duration age = now - device.last_reading;
            out.gauge("jouleway_device_last_reading_timestamp_seconds",
                      "When the last reading was taken.",
                      labels,
                      of(*unix_ms) / 1e3 - seconds_of(age));
        }
        for (const ValueMetric& metric : value_metrics) {
            put_value(device, name, metric, out);
        }
    }
}

void put_buses(const GatewayView& view, Families& out) {
    constexpr const char* name = "jouleway_bus_requests_total";
    constexpr const char* help = "Requests on a Modbus line by how they ended.";
    for (const BusView& bus : view.buses()) {
        out.gauge("jouleway_bus_connected",
                  "1 while the line is open.",
                  {{"bus", bus.name}},
                  bus.connected ? 1 : 0);
        if (!bus.modbus) {
            continue;
        }
        const ModbusCounters& counters = *bus.modbus;
        const std::pair<const char*, std::uint32_t> rows[] = {{"ok", counters.answers},
                                                              {"timeout", counters.timeouts},
                                                              {"crc", counters.bad_checksums},
                                                              {"malformed", counters.malformed},
                                                              {"stranger", counters.strangers}};
        for (const auto& [result, count] : rows) {
            out.counter(
                name, help, {{"bus", bus.name}, {"result", result}}, of(std::uint64_t{count}));
        }
        out.histogram("jouleway_bus_request_duration_seconds",
                      "From the last byte of a Modbus request to its complete answer.",
                      {{"bus", bus.name}},
                      bus.answer_times);
    }
}

void put_outbox(const GatewayView& view, Families& out) {
    const OutboxView outbox = view.outbox();
    const std::uint64_t used = std::min(outbox.bytes_used, outbox.bytes_max);
    out.gauge("jouleway_outbox_bytes", "Bytes that the store holds.", {}, of(used));
    out.gauge(
        "jouleway_outbox_bytes_max", "Bytes that the store may hold.", {}, of(outbox.bytes_max));
    out.gauge("jouleway_outbox_storage_bytes_free",
              "Room in the store before something must be dropped.",
              {},
              of(outbox.bytes_max - used));
    out.counter("jouleway_storage_writes_bytes_total",
                "Bytes written to the store: flash wear.",
                {},
                of(outbox.bytes_written));
    out.gauge("jouleway_outbox_keep_every",
              "Of so many keep intervals one is kept; above 1 while the store fills.",
              {},
              of(std::uint64_t{outbox.keep_every}));
    for (std::size_t i = 0; i < outbox.classes.size(); ++i) {
        const ClassView& row = outbox.classes[i];
        const std::string name = enum_name(static_cast<RecordClass>(i));
        const std::pair<const char*, std::uint64_t> reasons[] = {{"dropped", row.dropped},
                                                                 {"expired", row.expired},
                                                                 {"damaged", row.damaged},
                                                                 {"rejected", row.rejected}};
        for (const auto& [reason, count] : reasons) {
            out.counter("jouleway_outbox_dropped_total",
                        "Records that will never be delivered.",
                        {{"class", name}, {"reason", reason}},
                        of(count));
        }
        out.counter("jouleway_outbox_thinned_total",
                    "Records less, since readings were kept less often than set.",
                    {{"class", name}},
                    of(row.thinned));
    }
}

void put_sinks(const GatewayView& view, Families& out) {
    for (const SinkView& sink : view.sinks()) {
        const Labels labels{{"sink", sink.name}};
        std::uint64_t confirmed = 0;
        for (const std::uint64_t to : sink.confirmed_to) {
            confirmed += to;
        }
        out.gauge("jouleway_outbox_records", "Records that wait.", labels, of(sink.waiting));
        if (sink.oldest_age || sink.waiting == 0) {
            out.gauge("jouleway_outbox_oldest_age_seconds",
                      "Age of the oldest record that waits; 0: none waits; absent: not known.",
                      labels,
                      seconds_of(sink.oldest_age.value_or(Duration{})));
        }
        out.gauge("jouleway_sink_connected",
                  "1 while the sink is connected.",
                  labels,
                  sink.state == SinkState::connected ? 1 : 0);
        out.counter("jouleway_sink_records_confirmed_total",
                    "Records that the sink has confirmed.",
                    labels,
                    of(confirmed));
        out.counter("jouleway_sink_records_rejected_total",
                    "Records that the sink refused for good; they are set aside.",
                    labels,
                    of(sink.rejected));
        out.counter("jouleway_sink_bytes_sent_total",
                    "Bytes of payload sent.",
                    labels,
                    of(sink.sent_bytes));
        out.gauge("jouleway_sink_messages_in_flight",
                  "Messages sent and not yet acknowledged.",
                  labels,
                  of(sink.in_flight));
        for (const auto& [reason, count] : sink.errors) {
            out.counter("jouleway_sink_errors_total",
                        "What went wrong with a sink: a lost or failed connection, a message that "
                        "it refused, a record that could not be read.",
                        {{"sink", sink.name}, {"reason", reason}},
                        of(count));
        }
        out.histogram("jouleway_sink_confirm_delay_seconds",
                      "From sending a message to its acknowledgement.",
                      labels,
                      sink.confirm_time);
    }
}

void put_faults(const GatewayView& view, Families& out) {
    std::array<std::uint64_t, 3> counts{};
    for (const FaultView& item : view.faults()) {
        ++counts[static_cast<std::size_t>(item.fault.severity)];
    }
    for (std::size_t i = 0; i < counts.size(); ++i) {
        out.gauge("jouleway_faults_active",
                  "Faults that are raised.",
                  {{"severity", enum_name(static_cast<Severity>(i))}},
                  of(counts[i]));
    }
}

void put_process(const GatewayView& view, Families& out) {
    out.gauge("jouleway_build_info",
              "1; the labels say what was built.",
              {{"version", view.version}, {"revision", view.revision}},
              1);
    const auto unix_ms = view.unix_ms();
    out.gauge(
        "jouleway_clock_synchronized", "1 while the wall clock is believed.", {}, unix_ms ? 1 : 0);
    if (unix_ms) {
        out.gauge("process_start_time_seconds",
                  "When the process started.",
                  {},
                  of(*unix_ms) / 1e3 - seconds_of(view.now() - view.started));
    }
    const TimesView times = view.times();
    out.histogram("jouleway_loop_stall_seconds",
                  "How long each turn of the loop kept everybody else waiting.",
                  {},
                  times.loop_stall);
    out.histogram("jouleway_storage_sync_duration_seconds",
                  "How long the medium took to make readings durable.",
                  {},
                  times.sync);
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        const auto span = [](const timeval& time) {
            return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
        };
        out.counter("process_cpu_seconds_total",
                    "Processor time used.",
                    {},
                    span(usage.ru_utime) + span(usage.ru_stime));
    }
    std::uint64_t pages_all = 0;
    std::uint64_t pages_resident = 0;
    if (std::ifstream("/proc/self/statm") >> pages_all >> pages_resident) {
        out.gauge("process_resident_memory_bytes",
                  "Resident memory.",
                  {},
                  of(pages_resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE))));
    }
    std::error_code error;
    std::uint64_t descriptors = 0;
    for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end;
         !error && entry != end;
         entry.increment(error)) {
        ++descriptors;
    }
    out.gauge("process_open_fds", "Open file descriptors.", {}, of(descriptors));
}

void put_server(const ServerCounters& counters, Families& out) {
    out.counter("jouleway_http_requests_total", "HTTP requests.", {}, of(counters.requests));
    const std::pair<const char*, std::uint64_t> rows[] = {
        {"door", counters.refused},
        {"malformed", counters.malformed},
        {"no_room", counters.connections_refused}};
    for (const auto& [reason, count] : rows) {
        out.counter("jouleway_http_refused_total",
                    "HTTP requests and connections that were refused.",
                    {{"reason", reason}},
                    of(count));
    }
}

}  // namespace

std::string metrics_text(
    const GatewayView& view,
    const std::map<std::pair<std::string, ResultCode>, std::uint64_t>& commands,
    const ServerCounters* counters) {
    Families out;
    put_process(view, out);
    put_devices(view, out);
    put_buses(view, out);
    put_outbox(view, out);
    put_sinks(view, out);
    put_faults(view, out);
    for (const auto& [key, count] : commands) {
        out.counter("jouleway_commands_total",
                    "Commands by how they ended.",
                    {{"source", key.first}, {"result", enum_name(key.second)}},
                    of(count));
    }
    if (counters != nullptr) {
        put_server(*counters, out);
    }
    return out.text();
}

}  // namespace jw::http
