// SPDX-License-Identifier: Apache-2.0
#pragma once
// Access: the one door. Nothing reaches a route that it did not admit.
//
// Without a password whoever reaches the socket may read (it is then bound to loopback) and only a
// token may act. With a password, everything but the open routes takes a session (a cookie, for
// people) or a token (Authorization: Bearer, for programs).
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/time.h"
#include "host/http/message.h"
#include "host/http/password.h"
#include "host/http/router.h"
#include "host/settings.h"

namespace jw::http {

/// Slows down guessing: after the n-th wrong guess in a row a source waits 2^(n-1) seconds, at most
/// half an hour, so that no source gets more than 60 guesses a day. Memory is fixed: the source
/// that guessed longest ago makes room.
class GuessLimit {
  public:
    /// How long the source still has to wait; 0: it may guess.
    [[nodiscard]] Duration wait(std::string_view peer, Instant now) const;
    void wrong(std::string_view peer, Instant now);
    void right(std::string_view peer);

  private:
    struct Source {
        std::string name;
        std::uint32_t wrong = 0;
        Instant last;
        Instant free;
    };
    [[nodiscard]] const Source* find(std::string_view name) const;

    std::array<Source, 256> sources_;
};

/// Sessions of people: 256 random bits, of which only the digest is kept. One ends after 30 minutes
/// without use, after 12 hours, or when it is the least used of more than 32.
class Sessions {
  public:
    /// Makes one and returns what goes into the cookie.
    std::string open(Role role, Instant now);
    /// The role of the session with that digest, if it lives; it counts as used.
    std::optional<Role> use(const SessionKey& key, Instant now);
    void close(const SessionKey& key);

  private:
    struct Session {
        SessionKey key;
        Role role = Role::viewer;
        Instant opened;
        Instant used;
    };
    std::array<Session, 32> sessions_;
};

/// Runs `job` on a worker and then `done` on the loop; false where there is no room for it.
using Offload = std::function<bool(std::function<void()> job, std::function<void()> done)>;

class Access {
  public:
    /// `names`: under which this gateway may be asked for, beside IP addresses and localhost.
    Access(const GatewaySettings::Web& settings, std::vector<std::string> names);

    /// Whether a password is set; without one the server binds to loopback only.
    [[nodiscard]] bool has_password() const { return password_.has_value(); }

    /// Admits a request to a route, or says what to answer instead. Fills request.admission.
    std::optional<Response> refuse(Request& request, const Route& route, Instant now);
    /// Whether a session or token that was admitted earlier still is (long-lived connections).
    bool still_admitted(const Admission& admission, Instant now);

    /// POST /api/v1/session {"password"}; the password is verified on a worker, one at a time.
    void sign_in(const Request& request, const Reply& reply, const Offload& offload, Instant now);
    Response sign_out(const Request& request);
    /// GET /api/v1/session.
    [[nodiscard]] Response session(const Request& request) const;

  private:
    [[nodiscard]] bool known_host(std::string_view host) const;
    [[nodiscard]] static bool own_origin(const Request& request);
    std::optional<Response> refuse_token(Request& request, Instant now);
    void find_session(Request& request, Instant now);
    std::optional<Response> refuse_right(const Request& request, Right right) const;
    void finish_sign_in(
        bool right, const std::string& peer, bool encrypted, const Reply& reply, Instant now);

    std::optional<ScryptPassword> password_;
    std::vector<GatewaySettings::Token> tokens_;
    std::vector<std::string> names_;
    Sessions sessions_;
    GuessLimit password_guesses_;
    GuessLimit token_guesses_;
    bool verifying_ = false;
};

}  // namespace jw::http
