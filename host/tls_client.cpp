// SPDX-License-Identifier: Apache-2.0
// TlsClient: what OpenSSL must be told.
#include "host/tls_client.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <boost/asio/ip/address.hpp>

namespace jw {
namespace {

std::string last_error() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char* words = code == 0 ? nullptr : ERR_reason_error_string(code);
    return words == nullptr ? "no reason given" : words;
}

}  // namespace

std::string TlsClient::load(const GatewaySettings::Tls& settings, const std::string& host) {
    ERR_clear_error();
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* context = context_.get();
    if (context == nullptr) {
        return "TLS cannot start: " + last_error();
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_app_data(context, this);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, &TlsClient::on_verify);
    SSL_CTX_set_info_callback(context, &TlsClient::on_info);
    const bool trusts = settings.ca_file.empty()
                            ? SSL_CTX_set_default_verify_paths(context) == 1
                            : SSL_CTX_load_verify_file(context, settings.ca_file.c_str()) == 1;
    if (!trusts) {
        return fmt::format("the CA file {} cannot be used: {}", settings.ca_file, last_error());
    }
    if (!settings.cert_file.empty()) {
        if (SSL_CTX_use_certificate_chain_file(context, settings.cert_file.c_str()) != 1) {
            return fmt::format(
                "the certificate {} cannot be used: {}", settings.cert_file, last_error());
        }
        if (SSL_CTX_use_PrivateKey_file(context, settings.key_file.c_str(), SSL_FILETYPE_PEM) !=
                1 ||
            SSL_CTX_check_private_key(context) != 1) {
            return fmt::format("the key {} cannot be used with the certificate {}: {}",
                               settings.key_file,
                               settings.cert_file,
                               last_error());
        }
    }
    X509_VERIFY_PARAM* checked = SSL_CTX_get0_param(context);
    boost::system::error_code no_address;
    (void)boost::asio::ip::make_address(host, no_address);
    host_ = no_address ? host : "";
    const int named = no_address ? X509_VERIFY_PARAM_set1_host(checked, host.data(), host.size())
                                 : X509_VERIFY_PARAM_set1_ip_asc(checked, host.c_str());
    return named == 1 ? "" : fmt::format("{} cannot be a server's name", host);
}

int TlsClient::on_verify(int accepted, X509_STORE_CTX* store) {
    if (accepted == 0) {
        const auto* session = static_cast<const SSL*>(
            X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
        auto* client = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(session)));
        client->trouble_ = X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
    }
    return accepted;
}

// libmosquitto names the address that it connects to as the server; the name belongs there.
void TlsClient::on_info(const SSL* session, int where, int /*result*/) {
    if ((where & SSL_CB_HANDSHAKE_START) == 0) {
        return;
    }
    const auto* client = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(session)));
    auto* changed = const_cast<SSL*>(session);
    char* name = client->host_.empty() ? nullptr : const_cast<char*>(client->host_.c_str());
    (void)SSL_set_tlsext_host_name(changed, name);
}

}  // namespace jw
