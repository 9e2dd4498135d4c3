// SPDX-License-Identifier: Apache-2.0
// After a failed sync whose bytes arrived all the same a restart finds two copies of several
// segments; the stale ones must be room, or the store is full for ever.
#include "core/base/test.h"
#include "core/outbox/outbox.h"
#include "core/outbox/test_box.h"

using namespace jw;
using namespace jw::test;

namespace {

TEST(stale_copies_of_several_segments_are_room_after_a_restart) {
    for (const Shape shape : shapes) {
        format(shape);
        std::uint64_t used = 0;
        {
            Box box;
            EXPECT(box.open().has_value());
            for (std::uint32_t i = 1; i <= 150; ++i) {
                EXPECT(box.append(telemetry, i).has_value());
            }
            used = box.outbox.bytes_used();
            EXPECT(used == std::uint64_t{2} * box.outbox.segment_size());
            storage.failed_syncs_write = true;
            storage.fail_syncs = 1;
            for (int i = 0; i < 3; ++i) {
                box.sync();
                box.now = box.now + seconds(1);
            }
            EXPECT(box.outbox.accepted_to(telemetry) == 150);
        }
        Box box;
        EXPECT(box.open().has_value());
        EXPECT(box.outbox.bytes_used() == used);
        bool all = true;
        for (std::uint32_t i = 151; i <= 3000; ++i) {  // more than there is room for
            all = box.append(telemetry, i).has_value() && all;
            box.sync();
        }
        EXPECT(all);
    }
}

}  // namespace
