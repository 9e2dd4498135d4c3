// SPDX-License-Identifier: Apache-2.0
#pragma once
// A store with the readings of a day that nobody has fetched.
#include <cstdint>
#include <string>

namespace jw::bench {

/// Writes `readings` readings of ten meters, ten a second, into a new store in `folder`, with the
/// outbox of the product.
void write_backlog(const std::string& folder, std::uint64_t readings, unsigned size_mb);

}  // namespace jw::bench
