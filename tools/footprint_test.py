#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The gate of footprint.py closes when it should."""
import sys
import unittest

sys.dont_write_bytecode = True
import footprint  # noqa: E402


def symbols(outbox=1000, *more):
    return [("__data_start", 0, "d", 0x1000), ("outbox", outbox, "b", 0x1000),
            ("__bss_end", 0, "b", 0x1000 + outbox + 8), ("main", 50, "t", 0x10), *more]


class FootprintTest(unittest.TestCase):
    def found(self, all_symbols, said=2048, stack=None):
        of_part, heap = footprint.measure(all_symbols)
        return footprint.problems(of_part, heap, footprint.document(of_part, said), stack)

    def test_parts_add_up_to_what_the_image_takes(self):
        of_part, _ = footprint.measure(symbols())
        self.assertEqual(of_part["Outbox"], 1000)
        self.assertEqual(sum(of_part.values()), 1008)

    def test_what_holds_is_not_complained_about(self):
        self.assertEqual(self.found(symbols(), stack=2048), [])

    def test_the_limit_itself_fits_and_one_byte_more_does_not(self):
        self.assertEqual(self.found(symbols(footprint.LIMIT - 2048 - 8)), [])
        self.assertIn("10241 bytes in total", self.found(symbols(footprint.LIMIT - 2047 - 8))[0])

    def test_a_deeper_stack_than_documented_is_a_problem(self):
        self.assertIn("needed 2049", self.found(symbols(), stack=2049)[0])

    def test_an_allocator_in_the_image_is_a_problem(self):
        self.assertIn("malloc", self.found(symbols(1000, ("malloc", 80, "t", 0x20)))[0])

    def test_another_image_than_the_documented_one_is_a_problem(self):
        of_part, heap = footprint.measure(symbols(1000))
        text = footprint.document(*footprint.measure(symbols(996))[:1], 2048)
        self.assertIn("--write", footprint.problems(of_part, heap, text)[0])


if __name__ == "__main__":
    unittest.main()
