// SPDX-License-Identifier: Apache-2.0
// Reading and wiping secrets.
#include "host/secret.h"

#include <openssl/crypto.h>
#include <sys/stat.h>

#include <fstream>

namespace jw {

void Secret::wipe() {
    OPENSSL_cleanse(text_.data(), text_.size());
    text_.clear();
}

Result<Secret> read_secret(const std::filesystem::path& path) {
    constexpr std::size_t size_max = 4096;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return JW_FAIL(not_found);
    }
    if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
        return JW_FAIL(denied);
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return JW_FAIL(not_found);
    }
    std::string text(size_max + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    const auto size = static_cast<std::size_t>(file.gcount());
    const std::size_t end = text.find_last_not_of("\r\n", size == 0 ? 0 : size - 1);
    const bool fits = size != 0 && size <= size_max && end != std::string::npos && end < size;
    Result<Secret> secret =
        fits ? Result<Secret>(Secret(text.substr(0, end + 1))) : JW_FAIL(out_of_range);
    OPENSSL_cleanse(text.data(), text.size());
    return secret;
}

}  // namespace jw
