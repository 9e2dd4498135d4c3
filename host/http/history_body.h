// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the API answers of the history; built on a worker.
#include <string>
#include <vector>

#include "host/history/history_store.h"

namespace jw::http {

/// {"device","name","unit","step_s","points":[[unix_ms,mean,min,max],…]}
std::string history_json(const HistoryAnswer& answer);
/// A line of names, then one of each bucket, ended by CR LF (RFC 4180).
std::string history_csv(const HistoryAnswer& answer);
std::string history_series_json(const std::vector<HistorySeries>& series);

}  // namespace jw::http
