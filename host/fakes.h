// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the tests of this folder share: a folder that goes away, and a line that writes down what it
// is told.
#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/base/bytes.h"
#include "core/bus/line.h"

namespace jw::test {

class TempFolder {
  public:
    TempFolder() {
        std::string pattern = std::filesystem::temp_directory_path() / "jouleway-XXXXXX";
        path_ = mkdtemp(pattern.data());
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    ~TempFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

class FakeLine final : public Line {
  public:
    void connected(Instant /*now*/) override {
        up = true;
        ++connects;
    }
    void disconnected(Instant /*now*/) override {
        up = false;
        ++disconnects;
    }
    void received(Bytes bytes, Instant /*now*/) override { text += as_text(bytes); }
    Instant step(Instant /*now*/) override { return never; }

    bool up = false;
    int connects = 0;
    int disconnects = 0;
    std::string text;
};

}  // namespace jw::test
