// SPDX-License-Identifier: Apache-2.0
#pragma once
// Exposition: in which of Prometheus' text formats metrics go out, and whether gzipped.
#include <string>
#include <string_view>

#include "host/http/message.h"

namespace jw::http {

/// The metrics as the request's Accept and Accept-Encoding ask: OpenMetrics 1.0 where it is named
/// there and liked at least as well, else the text format 0.0.4. `text` is in the latter.
Response expose(const Request& request, std::string text);

/// Text format 0.0.4 as OpenMetrics 1.0: counters are declared without `_total`, and there is an
/// end. The help texts must have no quotation marks.
std::string as_open_metrics(std::string_view text);

}  // namespace jw::http
