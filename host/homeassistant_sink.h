// SPDX-License-Identifier: Apache-2.0
#pragma once
// HomeAssistantSink: announces every device to Home Assistant and tells their states while they
// last. docs/formats/homeassistant.md has the topics and the order in which they are sent.
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/sink/homeassistant/message.h"
#include "host/live_client.h"

namespace jw {

class HomeAssistantSink final : public LiveSink {
  public:
    /// `index`: of the entry in settings.live. Everything handed in outlives the sink.
    HomeAssistantSink(Loop& loop,
                      Gateway& gateway,
                      const GatewaySettings& settings,
                      std::size_t index);

    void start(Instant now) override;
    Instant run(Instant now) override;
    void stop() override;
    /// Commands that were not carried out since the broker kept them.
    [[nodiscard]] std::uint64_t retained_commands() const { return retained_commands_; }

  private:
    /// What one device was told to be.
    struct Told {
        std::vector<homeassistant::Key> keys;  // announced, or known from before
        std::vector<homeassistant::Control> controls;
        std::size_t values_seen = 0;
        DeviceInfo info;
        bool announce = false;  // a discovery message is due
        Instant announce_at;    // not before
        Instant state_from;     // no state before
        Instant next_state;
        Instant reading{-1};         // that the last state of this session was of
        std::optional<bool> online;  // as said in this session
        bool faults_due = false;
        std::string faults;  // as said in this session
    };

    void connected(Instant now);
    void message(std::string_view topic, Bytes payload, bool retain, Instant now);
    void learn(std::string_view device, std::string_view discovery);
    void forget(std::string_view device);
    void command(std::string_view topic, std::string_view payload, bool retain, Instant now);
    void look(std::size_t device, Instant now);
    void look_at_faults();
    bool tell(Instant now);
    bool tell_gateway(Instant now);
    bool tell_device(std::size_t device, Instant now);
    bool announce(std::size_t device, Instant now);
    bool tell_state(std::size_t device, Instant now);
    bool tell_faults(Told& told, std::string_view device, Instant now);
    bool clear_forgotten(Instant now);
    [[nodiscard]] bool is_known(std::string_view device) const;
    [[nodiscard]] std::string_view title(std::size_t device) const;
    [[nodiscard]] Text buffer() { return Text(buffer_); }

    Gateway& gateway_;
    const GatewaySettings& settings_;
    const GatewaySettings::Live& live_;
    std::string_view name_;  // of the gateway
    std::string birth_topic_;
    std::vector<Told> told_;  // by device
    Told own_;                // the gateway itself
    std::vector<char> buffer_;
    std::deque<std::string> to_clear_;  // retained topics of devices that are gone
    Instant look_at_;                   // at what is new of devices and faults
    Instant learning_until_;            // so long the broker tells what it kept
    Instant birth_at_ = never;          // everything is announced anew
    std::uint64_t faults_mark_ = 0;
    std::uint64_t retained_commands_ = 0;
    std::size_t cursor_ = 0;
    bool own_online_ = false;
    LiveClient client_;
};

}  // namespace jw
