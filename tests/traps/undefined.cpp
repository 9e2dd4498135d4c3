// SPDX-License-Identifier: Apache-2.0
#include "tests/traps/undefined.h"

#include <array>

namespace jw::test {
namespace {

int c_array[4];
std::array<int, 4> std_array;

}  // namespace

int sum(int a, int b) {
    return a + b;
}

int product(int a, int b) {
    return a * b;
}

int item_of_array(std::size_t index) {
    return c_array[index];
}

int item_of_std_array(std::size_t index) {
    return std_array[index];
}

unsigned shifted(unsigned value, int count) {
    return value << count;
}

}  // namespace jw::test
