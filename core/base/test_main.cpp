// SPDX-License-Identifier: Apache-2.0
// Runs every TEST that is linked in; a test that expects nothing counts as failed.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/base/check.h"
#include "core/base/test.h"

namespace jw {
[[noreturn]] void check_failed(std::uint16_t file, std::uint16_t line) {
    std::printf("CHECK failed: file %04X line %u\n", file, line);
    std::exit(3);
}
}  // namespace jw

int main(int argc, char** argv) {
    // `--only TEXT` runs the tests whose name holds TEXT. (Semihosting passes the program's own
    // path as the first argument.)
    const char* only = argc == 3 && std::strcmp(argv[1], "--only") == 0 ? argv[2] : "";
    int passed = 0;
    int failed = 0;
    for (auto* test = jw::test::Case::head; test != nullptr; test = test->next) {
        if (std::strstr(test->name, only) == nullptr) {
            continue;
        }
        const int failures = jw::test::failures;
        const long expectations = jw::test::expectations;
        test->run();
        if (jw::test::expectations == expectations) {
            std::printf("%s: expects nothing\n", test->name);
            ++jw::test::failures;
        }
        if (jw::test::failures == failures) {
            ++passed;
        } else {
            std::printf("FAILED %s\n", test->name);
            ++failed;
        }
    }
    std::printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}
