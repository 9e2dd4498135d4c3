// SPDX-License-Identifier: Apache-2.0
#pragma once
// A test framework in thirty lines, because the same tests also run on bare metal.
#include <cstdio>

namespace jw::test {
struct Case {
    const char* name;
    void (*run)();
    Case* next;
    static inline Case* head = nullptr;
    Case(const char* n, void (*r)()) : name(n), run(r), next(head) { head = this; }
};
inline int failures = 0;
inline long expectations = 0;
}  // namespace jw::test

/// The first line of a test's body says the behaviour that it claims.
#define TEST(name_)                                      \
    static void name_();                                 \
    static ::jw::test::Case case_##name_{#name_, name_}; \
    static void name_()
#define EXPECT(cond_)                                                       \
    do {                                                                    \
        ++::jw::test::expectations;                                         \
        if (!(cond_)) {                                                     \
            std::printf("%s:%d: EXPECT(%s)\n", __FILE__, __LINE__, #cond_); \
            ++::jw::test::failures;                                         \
        }                                                                   \
    } while (false)
