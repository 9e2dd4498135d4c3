// SPDX-License-Identifier: Apache-2.0
#include "core/sink/mqtt.h"

#include <array>

#include "core/sink/batch.h"

namespace jw::mqtt {
namespace {

constexpr std::string_view root = "jouleway/v1/";
constexpr std::string_view commands = "/commands/";

}  // namespace

Topic topic(std::string_view gateway, std::string_view leaf) {
    std::array<char, Topic::capacity()> buffer{};
    Text out(buffer);
    out.put(root).put(gateway).put('/').put(leaf);
    return out.view();
}

Topic batch_topic(std::string_view gateway, RecordKind kind) {
    return topic(gateway, array_name(kind));
}

Topic commands_filter(std::string_view gateway) {
    return topic(gateway, "commands/+");
}

std::optional<std::string_view> command_id(std::string_view gateway, std::string_view topic) {
    if (!topic.starts_with(root)) {
        return std::nullopt;
    }
    topic.remove_prefix(root.size());
    if (!topic.starts_with(gateway)) {
        return std::nullopt;
    }
    topic.remove_prefix(gateway.size());
    if (!topic.starts_with(commands) || topic.size() == commands.size()) {
        return std::nullopt;
    }
    topic.remove_prefix(commands.size());
    return topic;
}

}  // namespace jw::mqtt
