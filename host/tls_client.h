// SPDX-License-Identifier: Apache-2.0
#pragma once
// TlsClient: an OpenSSL context that trusts what the settings say and checks the server's name.
#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "host/settings.h"

namespace jw {

/// The name is checked, and sent (SNI), even where the caller connects by address. TLS 1.2 or
/// later.
class TlsClient {
  public:
    TlsClient() = default;
    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;

    /// Reads the certificates and the key. Gives what is wrong with them, or nothing.
    std::string load(const GatewaySettings::Tls& settings, const std::string& host);
    [[nodiscard]] SSL_CTX* context() const { return context_.get(); }
    /// Why the last handshake did not accept the server's certificate; empty: it did.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }
    void forget_trouble() { trouble_.clear(); }

  private:
    static int on_verify(int accepted, X509_STORE_CTX* store);
    static void on_info(const SSL* session, int where, int result);

    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, &SSL_CTX_free};
    std::string host_;  // empty where it is an address
    std::string trouble_;
};

}  // namespace jw
