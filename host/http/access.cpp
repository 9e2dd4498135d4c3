// SPDX-License-Identifier: Apache-2.0
// The one door: host, origin, session or token, role, in this order.
#include "host/http/access.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/check.h"
#include "core/base/fields.h"
#include "host/http/problem.h"

namespace jw::http {
namespace {

constexpr Duration session_idle = seconds(30 * 60);
constexpr Duration session_age = seconds(12 * 60 * 60);
constexpr Duration guess_wait_max = seconds(30 * 60);

std::string sha256(std::string_view text) {
    std::string digest(32, '\0');
    unsigned size = 0;
    const int made = EVP_Digest(text.data(),
                                text.size(),
                                reinterpret_cast<unsigned char*>(digest.data()),
                                &size,
                                EVP_sha256(),
                                nullptr);
    CHECK(made == 1 && size == digest.size());
    return digest;
}

/// In the same time wherever they differ.
bool same_digest(std::string_view a, std::string_view b) {
    return a.size() == b.size() && !a.empty() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_id() {
    std::array<unsigned char, 32> bytes{};
    const int made = RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
    CHECK(made == 1);
    std::string id;
    for (const unsigned char byte : bytes) {
        id += fmt::format("{:02x}", byte);
    }
    return id;
}

/// Whoever has an IPv6 network has 2^64 addresses: the network is the source.
std::string source_of(std::string_view peer) {
    boost::system::error_code bad;
    const auto address = boost::asio::ip::make_address(std::string(peer), bad);
    if (bad || !address.is_v6()) {
        return std::string(peer);
    }
    const auto bytes = address.to_v6().to_bytes();
    return std::string(bytes.begin(), bytes.begin() + 8);
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return result;
}

/// The browser refuses a __Host- cookie that came without TLS.
const char* cookie_name(bool encrypted) {
    return encrypted ? "__Host-jouleway" : "jouleway";
}

std::string_view cookie_of(const Request& request) {
    const std::string_view name = cookie_name(request.encrypted);
    std::string_view rest = request.header("Cookie");
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(';'), rest.size());
        std::string_view pair = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        while (pair.starts_with(' ')) {
            pair.remove_prefix(1);
        }
        if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
            return pair.substr(name.size() + 1);
        }
    }
    return {};
}

std::string cookie(std::string_view value, bool encrypted, bool ends) {
    return fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict{}{}",
                       cookie_name(encrypted),
                       value,
                       encrypted ? "; Secure" : "",
                       ends ? "; Max-Age=0" : "");
}

Response wait_first(Duration wait) {
    const std::int64_t wait_s = (wait.us + 999'999) / 1'000'000;
    Response response =
        problem(Problem::too_many_guesses, fmt::format("Wait {} s before the next guess.", wait_s));
    response.headers.push_back({"Retry-After", std::to_string(wait_s)});
    return response;
}

bool role_has(Role role, Right right) {
    switch (right) {
        case Right::open:
        case Right::read:
            return true;
        case Right::act:
            return role != Role::viewer;
        case Right::admin:
            return role == Role::owner || role == Role::installer;
    }
    return false;
}

}  // namespace

const GuessLimit::Source* GuessLimit::find(std::string_view name) const {
    const auto found = std::find_if(sources_.begin(), sources_.end(), [&](const Source& source) {
        return source.wrong > 0 && source.name == name;
    });
    return found == sources_.end() ? nullptr : &*found;
}

Duration GuessLimit::wait(std::string_view peer, Instant now) const {
    const Source* source = find(source_of(peer));
    return source == nullptr || now >= source->free ? Duration{} : source->free - now;
}

void GuessLimit::wrong(std::string_view peer, Instant now) {
    const std::string name = source_of(peer);
    const Source* known = find(name);
    Source& source =
        known != nullptr
            ? sources_[static_cast<std::size_t>(known - sources_.data())]
            : *std::min_element(sources_.begin(), sources_.end(), [](const auto& a, const auto& b) {
                  return (a.wrong == 0 ? Instant{-1} : a.last) <
                         (b.wrong == 0 ? Instant{-1} : b.last);
              });
    if (known == nullptr) {
        source = Source{name, 0, now, now};
    }
    const Duration wait =
        source.wrong > 20 ? guess_wait_max : seconds(std::int64_t{1} << source.wrong);
    ++source.wrong;
    source.last = now;
    source.free = now + std::min(wait, guess_wait_max);
}

void GuessLimit::right(std::string_view peer) {
    if (const Source* known = find(source_of(peer))) {
        sources_[static_cast<std::size_t>(known - sources_.data())] = Source{};
    }
}

std::string Sessions::open(Role role, Instant now) {
    std::string id = random_id();
    auto place = std::min_element(
        sessions_.begin(), sessions_.end(), [](const Session& a, const Session& b) {
            return (a.key.empty() ? Instant{-1} : a.used) < (b.key.empty() ? Instant{-1} : b.used);
        });
    *place = Session{sha256(id), role, now, now};
    return id;
}

std::optional<Role> Sessions::use(const SessionKey& key, Instant now) {
    for (Session& session : sessions_) {
        if (!same_digest(session.key, key)) {
            continue;
        }
        if (now - session.used > session_idle || now - session.opened > session_age) {
            session = {};
            return std::nullopt;
        }
        session.used = now;
        return session.role;
    }
    return std::nullopt;
}

void Sessions::close(const SessionKey& key) {
    for (Session& session : sessions_) {
        if (same_digest(session.key, key)) {
            session = {};
        }
    }
}

Access::Access(const GatewaySettings::Web& settings, std::vector<std::string> names)
    : tokens_(settings.tokens), names_(std::move(names)) {
    if (settings.password_scrypt) {
        password_ = parse_scrypt(settings.password_scrypt->reveal());
        CHECK(password_.has_value());  // the settings were checked
    }
    for (std::string& name : names_) {
        name = lower(name);
    }
    for (const std::string& host : settings.hosts) {
        names_.push_back(lower(host));
    }
}

bool Access::known_host(std::string_view host) const {
    std::string_view name = host;
    if (name.starts_with('[')) {
        const std::size_t end = name.find(']');
        name = end == std::string_view::npos ? std::string_view{} : name.substr(1, end - 1);
    } else {
        name = name.substr(0, std::min(name.find(':'), name.size()));
    }
    boost::system::error_code bad;
    const auto address = boost::asio::ip::make_address(std::string(name), bad);
    (void)address;
    // A site that rebinds its name to our address still sends its own name.
    return !bad || name == "localhost" ||
           std::find(names_.begin(), names_.end(), lower(name)) != names_.end();
}

bool Access::own_origin(const Request& request) {
    const std::string_view origin = request.header("Origin");
    const std::size_t scheme = origin.find("://");
    return scheme != std::string_view::npos &&
           lower(origin.substr(scheme + 3)) == lower(request.header("Host"));
}

std::optional<Response> Access::refuse_token(Request& request, Instant now) {
    if (const Duration wait = token_guesses_.wait(request.peer, now); wait > Duration{}) {
        return wait_first(wait);
    }
    std::string_view token = request.header("Authorization");
    constexpr std::string_view scheme = "bearer ";
    const bool bearer = lower(token.substr(0, scheme.size())) == scheme;
    token.remove_prefix(bearer ? scheme.size() : token.size());
    const std::string digest = sha256(token);
    const GatewaySettings::Token* found = nullptr;
    for (const GatewaySettings::Token& known : tokens_) {
        if (same_digest(known.sha256, digest)) {
            found = &known;
        }
    }
    if (found == nullptr || token.empty()) {
        token_guesses_.wrong(request.peer, now);
        return problem(Problem::not_signed_in, "This token is not known here.");
    }
    token_guesses_.right(request.peer);
    request.admission.role = found->role;
    request.admission.who = fmt::format("token {}", found->name.view());
    return std::nullopt;
}

void Access::find_session(Request& request, Instant now) {
    const std::string_view id = cookie_of(request);
    if (id.empty()) {
        return;
    }
    request.admission.session = sha256(id);
    request.admission.role = sessions_.use(request.admission.session, now);
    request.admission.who = "session";
}

std::optional<Response> Access::refuse(Request& request, const Route& route, Instant now) {
    request.admission = {};
    if (!known_host(request.header("Host"))) {
        return problem(Problem::unknown_host,
                       "Use the address of the gateway, or add this name to web.hosts.");
    }
    const bool careful = request.changes_state() || request.upgrade;
    const bool origin_given = !request.header("Origin").empty();
    if (careful && ((origin_given && !own_origin(request)) ||
                    request.header("Sec-Fetch-Site") == "cross-site")) {
        return problem(Problem::foreign_origin, "Open the page of the gateway itself.");
    }
    const bool token =
        !request.header("Authorization").empty() && (has_password() || !tokens_.empty());
    if (!token) {
        find_session(request, now);
    }
    if (route.right == Right::open) {
        return std::nullopt;
    }
    if (token) {
        if (auto refused = refuse_token(request, now)) {
            return refused;
        }
    } else if (request.admission.role && careful && !origin_given) {
        // A browser says where such a request comes from; programs have tokens.
        return problem(Problem::foreign_origin, "Send the Origin header, or use a token.");
    }
    return refuse_right(request, route.right);
}

std::optional<Response> Access::refuse_right(const Request& request, Right right) const {
    if (!request.admission.role && !has_password()) {
        return right == Right::read
                   ? std::nullopt
                   : std::optional(problem(Problem::password_not_set,
                                           "Set web.password_scrypt in the settings; until then "
                                           "the page only shows."));
    }
    if (!request.admission.role) {
        Response response =
            problem(Problem::not_signed_in, "Sign in on the page, or send a token.");
        response.headers.push_back({"WWW-Authenticate", "Bearer realm=\"jouleway\""});
        return response;
    }
    if (!role_has(*request.admission.role, right)) {
        return problem(Problem::not_allowed,
                       fmt::format("This takes the right to {}; you are {}.",
                                   enum_name(right),
                                   enum_name(*request.admission.role)));
    }
    return std::nullopt;
}

bool Access::still_admitted(const Admission& admission, Instant now) {
    if (admission.session.empty()) {
        return true;  // tokens change with the settings only, and those close every connection
    }
    return sessions_.use(admission.session, now).has_value();
}

void Access::sign_in(const Request& request,
                     const Reply& reply,
                     const Offload& offload,
                     Instant now) {
    if (!password_) {
        reply(problem(Problem::password_not_set, "Set web.password_scrypt in the settings."));
        return;
    }
    if (const Duration wait = password_guesses_.wait(request.peer, now); wait > Duration{}) {
        reply(wait_first(wait));
        return;
    }
    const auto document = nlohmann::json::parse(request.body, nullptr, false);
    if (!document.is_object() || document.size() != 1 || !document.contains("password") ||
        !document["password"].is_string()) {
        reply(problem(Problem::invalid_message,
                      R"(Send {"password":"..."}.)",
                      {{"/password", "a text, and nothing beside it"}}));
        return;
    }
    // One at a time: each takes 32 MiB and a tenth of a second.
    const auto right = std::make_shared<bool>(false);
    const auto job =
        [right, expected = *password_, guess = Secret(document["password"].get<std::string>())] {
            *right = verify_password(guess.reveal(), expected);
        };
    const auto finish =
        [this, right, now, reply, peer = request.peer, encrypted = request.encrypted] {
            verifying_ = false;
            finish_sign_in(*right, peer, encrypted, reply, now);
        };
    const bool began = !std::exchange(verifying_, true);
    if (!began || !offload(job, finish)) {
        verifying_ = !began;
        Response response = problem(Problem::busy, "Somebody else signs in; try again.");
        response.headers.push_back({"Retry-After", "1"});
        reply(response);
    }
}

void Access::finish_sign_in(
    bool right, const std::string& peer, bool encrypted, const Reply& reply, Instant now) {
    if (!right) {
        password_guesses_.wrong(peer, now);
        reply(problem(Problem::wrong_password, "This is not the password of this gateway."));
        return;
    }
    password_guesses_.right(peer);
    Response response;
    response.status = 204;
    response.headers.push_back(
        {"Set-Cookie", cookie(sessions_.open(Role::owner, now), encrypted, false)});
    reply(response);
}

Response Access::sign_out(const Request& request) {
    sessions_.close(request.admission.session);
    Response response;
    response.status = 204;
    response.headers.push_back({"Set-Cookie", cookie("", request.encrypted, true)});
    return response;
}

Response Access::session(const Request& request) const {
    nlohmann::ordered_json body = {{"role", nullptr}, {"password_needed", has_password()}};
    if (request.admission.role) {
        body["role"] = enum_name(*request.admission.role);
    }
    return json_response(body.dump());
}

}  // namespace jw::http
