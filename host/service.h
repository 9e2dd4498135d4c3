// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a long-running program is beside its work: a line in the journal, and a process that gives
// nothing away.
#include <string>

namespace jw {

/// Logs to stderr. For the journal each line begins with its severity, <3> for errors to <7> for
/// debugging (sd-daemon(3)); on a terminal with time and colour.
void start_log();
/// As start_log() would, for a line of that severity (spdlog's level: 0 trace … 5 critical).
std::string journal_prefix(int level);
/// New files are nobody else's (umask 077), and no core dump or debugger sees the keys.
void harden_process();

}  // namespace jw
