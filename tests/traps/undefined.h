// SPDX-License-Identifier: Apache-2.0
#pragma once
// Code that is undefined for some input, compiled as the core is.
#include <cstddef>

namespace jw::test {

int sum(int a, int b);
int product(int a, int b);
int item_of_array(std::size_t index);      // of four
int item_of_std_array(std::size_t index);  // of four
unsigned shifted(unsigned value, int count);

}  // namespace jw::test
