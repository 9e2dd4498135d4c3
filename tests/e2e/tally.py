# SPDX-License-Identifier: Apache-2.0
"""A subscriber for millions of records: of each it keeps a hash, in eight bytes."""
import array

from simulated_site import ARRAYS, Collector

UNSEEN = 0


class Tally(Collector):
    def __init__(self, broker, gateway, durable_file=None):
        super().__init__(broker, gateway, durable_file)
        self.seen = {}  # (epoch, class) -> hash of the record by its seq
        self.delivered = 0

    def note(self, batch):
        key = batch["epoch"], batch["class"]
        seen = self.seen.setdefault(key, array.array("q", [1]))
        fresh = []
        for name in ARRAYS:
            for record in batch.get(name, ()):
                seq, mark = record["seq"], hash(repr(record)) | 1
                if seq >= len(seen):
                    seen.extend([UNSEEN] * (seq + 1 - len(seen)))
                elif seen[seq] == UNSEEN:
                    self.problems.append(f"{key} {seq} arrived after {len(seen) - 1}")
                else:
                    self.duplicates += 1
                    if seen[seq] != mark:
                        self.problems.append(f"{key} {seq} came twice with different content")
                    continue
                seen[seq] = mark
                fresh.append(record)
        self.delivered += len(fresh)
        for gap in batch.get("gaps", ()):
            if (known := (*key, gap["from"], gap["to"], gap["reason"])) not in self.gaps:
                self.gaps.append(known)
        return fresh

    def contiguous(self, epoch, number):
        key = epoch, number
        seen, seq = self.seen.get(key, ()), self.reached.get(key, 0)
        gaps = {first: last for e, n, first, last, _ in self.gaps if (e, n) == key}
        while True:
            if seq + 1 < len(seen) and seen[seq + 1] != UNSEEN:
                seq += 1
            elif seq + 1 in gaps:
                seq = gaps[seq + 1]
            else:
                self.reached[key] = seq
                return seq

    def missing(self, accepted):
        with self.lock:
            return [(*key, seq) for key, to in accepted.items()
                    for seq in range(self.contiguous(*key) + 1, to + 1)
                    if not self.has(*key, seq)]

    def has(self, epoch, number, seq):
        seen = self.seen.get((epoch, number), ())
        return (seq < len(seen) and seen[seq] != UNSEEN) or any(
            (e, n) == (epoch, number) and first <= seq <= last
            for e, n, first, last, _ in self.gaps)
