// SPDX-License-Identifier: Apache-2.0
#pragma once
// What main() does once it knows what is wanted.
#include <iosfwd>
#include <string>

namespace jw {

/// Runs the gateway until SIGTERM or SIGINT; SIGHUP reads the settings again. Gives the exit code:
/// 0 after an orderly stop, 1 where something failed, 2 for wrong settings, 3 where another process
/// has the store.
int run_program(const std::string& settings_path);

}  // namespace jw
