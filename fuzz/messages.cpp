// SPDX-License-Identifier: Apache-2.0
// Any bytes as a CBOR message or batch: what is accepted is written back and read to the same.
#include <array>

#include "core/base/cbor.h"
#include "core/base/check.h"
#include "core/base/json.h"
#include "core/model/batch.h"
#include "core/model/command.h"
#include "core/model/event.h"

using namespace jw;

namespace {

std::array<std::uint8_t, 4096> first;
std::array<std::uint8_t, 4096> second;
std::array<char, 32768> text;

template <class M>
void there_and_back(Bytes bytes) {
    M message;
    Reader in(bytes);
    if (!from_cbor(in, message)) {
        return;
    }
    Writer once(first);
    to_cbor(message, once);
    CHECK(once.ok());
    M back;
    Reader again(once.written());
    CHECK(from_cbor(again, back).has_value());
    Writer twice(second);
    to_cbor(back, twice);
    CHECK(equal(once.written(), twice.written()));
    Text json(text);
    to_json(message, json);
    CHECK(json.ok());
}

class Sums final : public BatchReader {
  public:
    void record(const BatchHead& head, const Record& record, bool /*has_wall_time*/) override {
        CHECK(record.id.epoch == head.epoch && record.kind == head.kind);
        Reading reading;
        Reader in(record.payload);
        (void)from_cbor(in, reading);
    }
    void gap(const Gap& gap) override { CHECK(gap.from <= gap.to); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes(data, size);
    there_and_back<Reading>(bytes);
    there_and_back<Event>(bytes);
    there_and_back<Fault>(bytes);
    there_and_back<Command>(bytes);
    there_and_back<CommandResult>(bytes);
    Sums sums;
    (void)read_batch(bytes, sums);
    return 0;
}
