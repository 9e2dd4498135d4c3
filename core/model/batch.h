// SPDX-License-Identifier: Apache-2.0
#pragma once
// A batch as it travels: what stands in front of its records, and the way back from CBOR to records
// (core/sink/batch.h writes it). docs/formats/cbor.md has a worked example.
#include <array>
#include <cstdint>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/model/record.h"

namespace jw {

/// What stands once in front of the records.
struct BatchHead {
    std::string_view gateway;
    std::string_view site;
    std::uint64_t epoch = 0;
    RecordClass record_class = RecordClass::telemetry;
    RecordKind kind = RecordKind::reading;
};

/// The array a kind stands in, which is also the last part of its MQTT topic: "readings" …
std::string_view array_name(RecordKind kind);

/// Ids of a CBOR batch's fields; never reused.
enum class BatchField : std::uint8_t {
    version = 1,
    gateway = 2,
    site = 3,
    epoch = 4,
    record_class = 5,
    kind = 6,
    seqs = 7,   // first, then differences
    boot = 8,   // only where there is no wall time
    times = 9,  // milliseconds: first, then differences
    payloads = 10,
    gaps = 11,  // from, to, reason, repeated
};

/// Walks a CBOR batch that came from a node or stands in a test. Errors: truncated, malformed.
class BatchReader {
  public:
    virtual void record(const BatchHead& head, const Record& record, bool has_wall_time) = 0;
    virtual void gap(const Gap& gap) = 0;

  protected:
    ~BatchReader() = default;
};
Status read_batch(Bytes bytes, BatchReader& reader);

}  // namespace jw
