// SPDX-License-Identifier: Apache-2.0
// What becomes of a batch on its way.
#include "sim/world_broker.h"

#include "sim/world_gateway.h"

namespace jw::sim {

WorldBroker::WorldBroker(WorldStage& stage, WorldChecker& checker)
    : stage_(stage), checker_(checker) {
    stage_.after(seconds(1), [this] { live(); });
    if (stage_.has(WorldFault::forgetful)) {
        stage_.after(seconds(5), [this] { tell_durable(); });
    }
}

void WorldBroker::attach(WorldGateway* gateway) {
    connected_ = false;
    ++connection_;
    gateway_ = gateway;
    if (gateway_ != nullptr) {
        stage_.after(stage_.between(milliseconds(50), seconds(3)), [this] { connect(); });
    }
}

void WorldBroker::connect() {
    if (gateway_ == nullptr || connected_) {
        return;
    }
    connected_ = true;
    ++connection_;
    arrives_at_ = stage_.now;
    gateway_->sink_connected();
    for (const auto& [id, command] : requests_) {
        send_request(command);
    }
}

void WorldBroker::disconnect() {
    if (gateway_ == nullptr || !connected_) {
        return;
    }
    ++breaks_;
    connected_ = false;
    ++connection_;
    if (stage_.on(WorldFault::forgetful)) {
        held_.clear();  // the broker restarts and has forgotten
    }
    gateway_->sink_disconnected();
    const bool soon = stage_.healing || !stage_.random.one_in(4);
    stage_.after(stage_.between(milliseconds(50), soon ? seconds(30) : seconds(900)),
                 [this] { connect(); });
}

void WorldBroker::live() {
    if (stage_.on(WorldFault::broker_break) && stage_.random.one_in(3)) {
        disconnect();
    } else if (stage_.healing) {
        connect();
    }
    if (!requests_.empty() && connected_ && stage_.random.one_in(4)) {
        send_request(requests_.begin()->second);  // the same once more
    }
    stage_.after(stage_.between(seconds(1), seconds(60)), [this] { live(); });
}

std::uint32_t WorldBroker::publish(std::string_view batch) {
    const std::uint32_t ticket = ++ticket_;
    stage_.trace.add(as_bytes(batch));
    arrives_at_ =
        later(arrives_at_, stage_.now + stage_.between(milliseconds(1), milliseconds(200)));
    stage_.after(arrives_at_ - stage_.now,
                 [this, ticket, text = std::string(batch), connection = connection_] {
                     if (connection == connection_) {
                         arrived(ticket, text);
                     }
                 });
    return ticket;
}

bool WorldBroker::refuses(const std::string& batch) const {
    // Poison are records whose number ends in 13, or in 57 while their time is not known.
    return stage_.on(WorldFault::refusal) && (batch.find("13,\"time\"") != std::string::npos ||
                                              batch.find("57,\"boot\"") != std::string::npos);
}

void WorldBroker::arrived(std::uint32_t ticket, const std::string& batch) {
    const bool refused = refuses(batch);
    if (!refused && stage_.has(WorldFault::forgetful)) {
        held_.push_back(batch);
        stage_.after(stage_.between(milliseconds(1), seconds(20)), [this] { forward(); });
    } else if (!refused) {
        checker_.arrived(batch);
    }
    const bool is_late = stage_.on(WorldFault::late_ack);
    stage_.after(stage_.between(milliseconds(1), is_late ? seconds(20) : milliseconds(50)),
                 [this, ticket, refused, connection = connection_] {
                     if (connection == connection_ && gateway_ != nullptr) {
                         gateway_->sink_answered(ticket, !refused);
                     }
                 });
}

void WorldBroker::forward() {
    for (const std::string& batch : std::exchange(held_, {})) {
        checker_.arrived(batch);
    }
}

void WorldBroker::tell_durable() {
    if (connected_ && gateway_ != nullptr) {
        gateway_->sink_durable(checker_.received_epoch());
    }
    stage_.after(stage_.between(seconds(1), seconds(20)), [this] { tell_durable(); });
}

void WorldBroker::request(const Command& command) {
    requests_[std::string(command.id.view())] = command;
    send_request(command);
    if (stage_.random.one_in(3)) {
        // A copy that is on its way for long.
        stage_.after(stage_.between(milliseconds(1), seconds(30)),
                     [this, command] { send_request(command); });
    }
}

void WorldBroker::send_request(const Command& command) {
    stage_.after(stage_.between(milliseconds(1), milliseconds(200)),
                 [this, command, connection = connection_] {
                     if (connected_ && connection == connection_ && gateway_ != nullptr) {
                         gateway_->sink_command(command);
                     }
                 });
}

void WorldBroker::clear(const CommandId& id) {
    if (connected_) {
        requests_.erase(std::string(id.view()));
    }
}

bool WorldBroker::waits_for(const Name& target) const {
    for (const auto& [id, command] : requests_) {
        if (command.target == target) {
            return true;
        }
    }
    return false;
}

}  // namespace jw::sim
