// SPDX-License-Identifier: Apache-2.0
// `joulectl self`: how this program was built.
#include <cstdio>
#include <sstream>
#include <string>

#include "apps/joulectl/subcommands.h"

namespace joulectl {

int self_hardening() {
    std::istringstream flags(JW_HARDENING);
    int count = 0;
    for (std::string flag; flags >> flag; ++count) {
        std::printf("%s\n", flag.c_str());
    }
    if (count == 0) {
        throw Failure("self hardening: this build is not hardened; build with the preset release");
    }
    return 0;
}

}  // namespace joulectl
