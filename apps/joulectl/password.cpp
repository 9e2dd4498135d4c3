// SPDX-License-Identifier: Apache-2.0
// `joulectl password` and `joulectl token`: what the settings hold instead of a secret.
#include "host/http/password.h"

#include <openssl/rand.h>
#include <openssl/sha.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <iostream>

#include "apps/joulectl/input.h"
#include "apps/joulectl/subcommands.h"

namespace joulectl {
namespace {

/// A line of standard input; on a terminal it is not shown while it is typed.
std::string read_secret_line(const char* prompt) {
    const bool terminal = isatty(STDIN_FILENO) != 0;
    termios before{};
    if (terminal) {
        std::fprintf(stderr, "%s", prompt);
        tcgetattr(STDIN_FILENO, &before);
        termios silent = before;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    std::string line;
    std::getline(std::cin, line);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        std::fprintf(stderr, "\n");
    }
    return line;
}

template <std::size_t N>
std::string random_bytes() {
    std::array<unsigned char, N> bytes{};
    if (RAND_bytes(bytes.data(), N) != 1) {
        throw Failure("the system gives no random bytes");
    }
    return {reinterpret_cast<const char*>(bytes.data()), N};
}

}  // namespace

int password() {
    const std::string typed = read_secret_line("Password of the owner: ");
    if (typed.size() < 8) {
        throw UsageError("password: at least 8 characters; type it, or give it on standard input");
    }
    if (isatty(STDIN_FILENO) != 0 && read_secret_line("Again: ") != typed) {
        throw UsageError("password: the two are not the same; nothing was printed");
    }
    std::printf("%s\n", jw::http::scrypt_text(typed, random_bytes<16>()).c_str());
    return 0;
}

int token() {
    const std::string token = to_hex(random_bytes<24>());
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
    std::string hex = to_hex({reinterpret_cast<const char*>(digest.data()), SHA256_DIGEST_LENGTH});
    for (char& c : hex) {
        c = c >= 'A' && c <= 'F' ? static_cast<char>(c + ('a' - 'A')) : c;
    }
    std::printf("{\"token\":\"%s\",\"sha256\":\"%s\"}\n", token.c_str(), hex.c_str());
    return 0;
}

}  // namespace joulectl
