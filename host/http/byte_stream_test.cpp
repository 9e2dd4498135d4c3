// SPDX-License-Identifier: Apache-2.0
// TLS: the server's side against a client of OpenSSL, with a certificate made for the test.
#include "host/http/byte_stream.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "host/http/server.h"
#include "host/http/test_client.h"

namespace jw::http {
namespace {

namespace asio = boost::asio;

class TlsTest : public testing::Test {
  protected:
    TlsTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "jw-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        make_certificate();
    }
    ~TlsTest() override { std::filesystem::remove_all(folder_); }

    std::string path(const char* name) const { return (folder_ / name).string(); }

    void make_certificate() const {
        EVP_PKEY* key = EVP_EC_gen("P-256");
        X509* certificate = X509_new();
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_set_pubkey(certificate, key);
        X509_NAME* name = X509_get_subject_name(certificate);
        X509_NAME_add_entry_by_txt(name,
                                   "CN",
                                   MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>("localhost"),
                                   -1,
                                   -1,
                                   0);
        X509_set_issuer_name(certificate, name);
        X509_sign(certificate, key, EVP_sha256());
        std::FILE* file = std::fopen(path("cert.pem").c_str(), "w");
        PEM_write_X509(file, certificate);
        std::fclose(file);
        file = std::fopen(path("key.pem").c_str(), "w");
        PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(file);
        X509_free(certificate);
        EVP_PKEY_free(key);
    }

    void start(const ServerLimits& limits = {}) {
        router_.add(
            Verb::get, "/hello", Right::read, [](const Request& request, const Reply& reply) {
                reply(json_response(request.encrypted ? "1" : "0"));
            });
        std::string reason;
        auto tls = make_tls(path("cert.pem"), path("key.pem"), reason);
        ASSERT_TRUE(tls) << reason;
        server_ = std::make_unique<Server>(
            io_, router_, access_, [] { return Instant{}; }, limits);
        ASSERT_TRUE(server_->listen("127.0.0.1", 0, std::move(*tls), reason)) << reason;
    }

    /// What a client that speaks these versions of TLS gets, or the error in words.
    std::string ask(int version_max) {
        asio::ssl::context context(asio::ssl::context::tls_client);
        SSL_CTX_set_max_proto_version(context.native_handle(), version_max);
        SSL_CTX_set_security_level(context.native_handle(), 0);
        asio::ssl::stream<asio::ip::tcp::socket> stream(io_, context);
        stream.next_layer().connect({asio::ip::address_v4::loopback(), server_->port()});
        const std::string request = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
        std::array<char, 4096> answer{};
        std::string result;
        bool ended = false;
        stream.async_handshake(asio::ssl::stream_base::client, [&](const ErrorCode& failed) {
            if (failed) {
                result = failed.message();
                ended = true;
                return;
            }
            asio::async_write(stream, asio::buffer(request), [&](const ErrorCode&, std::size_t) {
                stream.async_read_some(
                    asio::buffer(answer), [&](const ErrorCode& error, std::size_t size) {
                        result = error ? error.message() : std::string(answer.data(), size);
                        ended = true;
                    });
            });
        });
        for (int i = 0; i < 20'000 && !ended; ++i) {
            io_.restart();
            io_.run_for(std::chrono::milliseconds(1));
        }
        return result;
    }

    std::filesystem::path folder_;
    asio::io_context io_;
    Router router_;
    Access access_{GatewaySettings::Web{}, {}};
    std::unique_ptr<Server> server_;
};

TEST_F(TlsTest, a_request_over_tls_is_answered_and_known_as_encrypted) {
    start();
    const std::string answer = ask(TLS1_3_VERSION);
    EXPECT_EQ(answer.substr(0, 15), "HTTP/1.1 200 OK") << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n1")) << answer;
    EXPECT_EQ(ask(TLS1_2_VERSION).substr(0, 15), "HTTP/1.1 200 OK");
}

TEST_F(TlsTest, versions_before_1_2_are_refused) {
    start();
    EXPECT_EQ(ask(TLS1_1_VERSION).find("HTTP/1.1"), std::string::npos);
    EXPECT_EQ(server_->counters().requests, 0U);
}

TEST_F(TlsTest, a_client_that_speaks_plain_http_is_cut_off) {
    start();
    TestClient client(io_, server_->port());
    EXPECT_EQ(client.ask("GET /hello").status, 0);
    EXPECT_TRUE(client.closed());
}

TEST_F(TlsTest, a_handshake_that_never_comes_is_cut_off) {
    ServerLimits limits;
    limits.deadline = milliseconds(50);
    start(limits);
    TestClient client(io_, server_->port());
    EXPECT_TRUE(client.closed());
    EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(TlsTest, a_server_that_goes_in_the_middle_of_a_handshake_does_no_harm) {
    start();
    TestClient client(io_, server_->port());
    client.send("\x16\x03\x01");
    ASSERT_TRUE(client.run_until([&] { return server_->connections() == 1; }));
    server_.reset();
    EXPECT_TRUE(client.closed());
}

TEST_F(TlsTest, a_key_that_is_none_is_named) {
    std::string reason;
    EXPECT_EQ(make_tls(path("cert.pem"), path("cert.pem"), reason).code(), Code::malformed);
    EXPECT_NE(reason.find("cert.pem"), std::string::npos);
    EXPECT_EQ(make_tls(path("none.pem"), path("key.pem"), reason).code(), Code::not_found);
}

}  // namespace
}  // namespace jw::http
