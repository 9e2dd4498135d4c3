// SPDX-License-Identifier: Apache-2.0
// The program: one daemon after the other, signals, and what the service manager is told.
#include "apps/jouleway/program.h"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <optional>
#include <utility>

#include "apps/jouleway/daemon.h"
#include "apps/jouleway/door.h"
#include "apps/jouleway/drivers.h"
#include "apps/jouleway/service_socket.h"
#include "host/crc32c.h"
#include "host/service.h"
#include "host/version.h"

namespace jw {
namespace {

constexpr int failed = 1;
constexpr int settings_wrong = 2;
constexpr int store_taken = 3;
// How often whoever watches the service hears from the loop; a hung loop must starve it.
constexpr Duration beat = milliseconds(200);

/// The loop, the daemon of the present settings, and what happens to them.
class Program {
  public:
    explicit Program(std::string settings_path) : path_(std::move(settings_path)) {}

    int run() {
        auto settings = load();
        if (!settings) {
            return settings_wrong;
        }
        if (const int code = begin(*settings); code != 0) {
            return code;
        }
        listen();
        loop_.use_step([this](Instant now) { return step(now); });
        service_.tell("READY=1\nSTATUS=" + daemon_->status());
        loop_.run();
        door_.reset();
        daemon_.reset();
        return exit_code_;
    }

  private:
    std::optional<GatewaySettings> load() {
        SettingsOutcome outcome = load_settings(path_, {.drivers = drivers()});
        for (const SettingsError& error : outcome.errors) {
            spdlog::error("{}: {}", path_, error.text());
        }
        return std::move(outcome.settings);
    }

    int begin(const GatewaySettings& settings) {
        daemon_ = std::make_unique<Daemon>(loop_, workers_, settings);
        if (const Status started = daemon_->start(); !started) {
            spdlog::error("{}", daemon_->trouble());
            return started.code() == Code::busy ? store_taken : failed;
        }
        door_ = std::make_unique<Door>(loop_, workers_, *daemon_, started_);
        daemon_->use_hooks({
            .reading = [this](std::size_t device,
                              const Reading& reading,
                              Instant now) { door_->reading(device, reading, now); },
            .begun = [this](const CommandId& id, Status written) { door_->begun(id, written); },
            .finished =
                [this](const CommandResult& result, CommandSource source) {
                    door_->finished(result, source == CommandSource::local);
                },
            .breach =
                [this] {
                    exit_code_ = failed;
                    stop();
                },
        });
        if (std::string reason; !door_->open(reason)) {
            // Readings go on without a page.
            spdlog::error("the page cannot be served on {} port {}: {}",
                          settings.web.address,
                          settings.web.port,
                          reason);
        }
        spdlog::info("gateway {} runs, version {}, {} devices, {} sinks, page on {} port {}",
                     settings.gateway.view(),
                     version(),
                     settings.devices.size(),
                     settings.sinks.size(),
                     settings.web.address,
                     door_->port());
        return 0;
    }

    void listen() {
        signals_.async_wait([this](const boost::system::error_code& error, int number) {
            if (error) {
                return;
            }
            number == SIGHUP ? reload() : stop();
            listen();
        });
    }

    void stop() {
        if (!stopping_ && exit_code_ == 0) {
            // A start without it before was no orderly stop.
            daemon_->gateway().tell(EventKind::stopped, "Told to stop.", Loop::now());
        }
        stopping_ = true;
        service_.tell("STOPPING=1");
        daemon_->stop([this] { loop_.stop(); });
    }

    void reload() {
        if (stopping_) {
            return;
        }
        auto settings = load();
        if (!settings) {
            spdlog::error("the settings stay as they were");
            return;
        }
        service_.tell("RELOADING=1");
        wanted_ = std::move(settings);
        daemon_->stop([this] {
            // Not from inside the daemon that goes.
            boost::asio::post(loop_.io(), [this] { replace(); });
        });
    }

    void replace() {
        if (stopping_ || !wanted_) {
            return;  // told to end meanwhile, or an earlier turn took the newest settings
        }
        const GatewaySettings settings = *std::exchange(wanted_, std::nullopt);
        const GatewaySettings old_settings = daemon_->settings();
        const std::vector<Remembered> values = daemon_->remember();
        const auto alerts = daemon_->alerts().items();
        const std::vector<Alert> alerts_before(alerts.begin(), alerts.end());
        door_.reset();
        daemon_.reset();  // gives the store back
        if (begin(settings) == 0) {
            daemon_->gateway().tell(
                EventKind::settings_changed, "The settings were read again.", Loop::now());
        } else {
            spdlog::error("the settings before come back");
            if (begin(old_settings) != 0) {
                exit_code_ = failed;
                loop_.stop();
                return;
            }
        }
        daemon_->inherit(values);
        daemon_->alerts().inherit(alerts_before);
        service_.tell("READY=1");
    }

    Instant step(Instant now) {
        if (!daemon_) {
            return never;
        }
        const Instant next = earlier(daemon_->step(now), door_->step(now));
        // What was accepted, and that nothing waits any more, is told at once, the rest with the
        // beat.
        const std::uint64_t accepted = daemon_->accepted();
        const bool drained = daemon_->waiting() == 0;
        if (accepted != told_accepted_ || drained != told_drained_ || now - told_at_ >= beat) {
            told_at_ = now;
            if (service_.tell("WATCHDOG=1\nSTATUS=" + daemon_->status())) {
                told_accepted_ = accepted;  // else again with the next turn
                told_drained_ = drained;
            }
        }
        return earlier(next, told_at_ + beat);
    }

    std::string path_;
    Loop loop_;
    Workers workers_{loop_, 2, 64};
    boost::asio::signal_set signals_{loop_.io(), SIGTERM, SIGINT, SIGHUP};
    Instant started_ = Loop::now();
    ServiceSocket service_;
    std::unique_ptr<Daemon> daemon_;
    std::unique_ptr<Door> door_;
    std::optional<GatewaySettings> wanted_;  // of the reload under way
    bool stopping_ = false;
    std::uint64_t told_accepted_ = 0;
    bool told_drained_ = false;
    Instant told_at_{0};
    int exit_code_ = 0;
};

}  // namespace

int run_program(const std::string& settings_path) {
    harden_process();
    use_hardware_crc32c();
    start_log();
    return Program(settings_path).run();
}

}  // namespace jw
