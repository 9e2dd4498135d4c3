// SPDX-License-Identifier: Apache-2.0
#pragma once
// The arguments of a campaign: names with a number behind them.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace jw::power_cut {

class Arguments {
  public:
    Arguments(int argc, char** argv) : argc_(argc), argv_(argv) {
        for (int i = 1; i < argc; i += 2) {
            if (std::strncmp(argv[i], "--", 2) != 0 || i + 1 == argc) {
                std::fprintf(stderr, "usage: %s [--name number]…\n", argv[0]);
                std::exit(2);
            }
        }
    }
    [[nodiscard]] std::uint64_t number(std::string_view name, std::uint64_t otherwise) const {
        for (int i = 1; i + 1 < argc_; i += 2) {
            if (name == argv_[i]) {
                return std::strtoull(argv_[i + 1], nullptr, 0);
            }
        }
        return otherwise;
    }

  private:
    int argc_;
    char** argv_;
};

}  // namespace jw::power_cut
