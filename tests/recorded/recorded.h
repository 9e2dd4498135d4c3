// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where the recorded data sets are, and what happens when they are not there.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace jw::recorded {

inline std::filesystem::path folder(const std::string& name) {
    return std::filesystem::path(JW_RECORDED) / name;
}

inline std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace jw::recorded

/// Ends the test where that folder of the data sets is absent: skipped, or failed where they are
/// required.
#define JW_NEED_RECORDED(folder_)                                                \
    if (!std::filesystem::exists(folder_)) {                                     \
        const char* required = std::getenv("JOULEWAY_RECORDED");                 \
        ASSERT_FALSE(required != nullptr && std::string(required) == "required") \
            << (folder_) << " is absent and JOULEWAY_RECORDED=required";         \
        GTEST_SKIP() << (folder_) << " is absent: recorded data not tested";     \
    }
