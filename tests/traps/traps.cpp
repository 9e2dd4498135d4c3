// SPDX-License-Identifier: Apache-2.0
// traps CASE: does what is undefined and says so where it comes back, which it must not.
// `traps nothing` does the same with defined input, and must.
#include <climits>
#include <cstdio>
#include <cstring>

#include "core/base/check.h"
#include "tests/traps/undefined.h"

namespace jw {
[[noreturn]] void check_failed(std::uint16_t /*file*/, std::uint16_t /*line*/) {
    __builtin_trap();
}
}  // namespace jw

namespace {

struct Case {
    const char* name;
    int (*run)();
};

constexpr Case cases[] = {
    {"nothing",
     [] {
         return jw::test::sum(INT_MAX, 0) + jw::test::product(INT_MIN, 0) +
                jw::test::item_of_array(3) + jw::test::item_of_std_array(3) +
                static_cast<int>(jw::test::shifted(0, 31));
     }},
    {"sum", [] { return jw::test::sum(INT_MAX, 1); }},
    {"product", [] { return jw::test::product(INT_MIN, -1); }},
    {"array", [] { return jw::test::item_of_array(4); }},
    {"std_array", [] { return jw::test::item_of_std_array(4); }},
    {"shift", [] { return static_cast<int>(jw::test::shifted(1, 32)); }},
};

}  // namespace

int main(int argc, char** argv) {
    // Semihosting puts a name of its own before the arguments.
    const char* wanted = argc > 1 ? argv[argc - 1] : "";
    for (const Case& known : cases) {
        if (std::strcmp(wanted, known.name) == 0) {
            std::printf("came back with %d\n", known.run());
            return 0;
        }
    }
    std::printf("no such case\n");
    return 0;
}
