// SPDX-License-Identifier: Apache-2.0
#pragma once
// FileVault: the port Vault over a folder of files that only their owner may read.
#include <string>
#include <string_view>

#include "core/base/ports.h"

namespace jw {

/// Secrets are the files of the folder, one each, named by the secret. The device's own key is
/// `device.key`, Ed25519 as PEM.
class FileVault final : public Vault {
  public:
    explicit FileVault(std::string folder) : folder_(std::move(folder)) {}

    void random(MutableBytes out) override;
    /// Errors besides those of the port: denied (others may read the file), malformed (a name with
    /// other characters than [a-z0-9.-], or beginning with a dot).
    Result<std::size_t> secret(std::string_view name, MutableBytes out) override;
    /// Ed25519 (RFC 8032), 64 bytes. Errors besides those of the port: denied, malformed (the key).
    Result<std::size_t> sign(Bytes message, MutableBytes signature) override;

  private:
    std::string folder_;
};

}  // namespace jw
