// SPDX-License-Identifier: Apache-2.0
#pragma once
// One request to the API of a gateway, over HTTP or HTTPS, and its answer.
#include <cstdint>
#include <string>
#include <vector>

namespace joulectl {

struct GatewayAddress {
    bool tls = false;
    std::string host;
    std::string port;
    std::string prefix;  // path in front of /api, without a slash at its end
};

/// Takes http://host[:port][/prefix], https likewise. Throws UsageError saying what is wrong.
GatewayAddress parse_url(const std::string& url);

struct HttpAccess {
    GatewayAddress gateway;
    std::string token;    // empty: none
    std::string ca_file;  // empty: what the system trusts
    std::uint32_t timeout_ms = 10'000;
};

struct HttpAnswer {
    int status = 0;
    std::string body;
};

/// Asks once, on a connection of its own. Throws Failure naming the address and what went wrong:
/// name, connection, certificate, silence, or an answer that is no HTTP.
HttpAnswer ask_gateway(const HttpAccess& access,
                       const std::string& method,
                       const std::string& path,
                       const std::vector<std::string>& headers,
                       const std::string& body);

}  // namespace joulectl
