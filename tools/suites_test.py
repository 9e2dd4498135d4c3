#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tools/suites.py counts for each way in which a test program says how it went."""
import sys
import unittest

import suites

GTEST = """[==========] Running 5 tests from 2 test suites.
[==========] 5 tests from 2 test suites ran. (3 ms total)
[  PASSED  ] 3 tests.
[  SKIPPED ] 1 test, listed below:
[  SKIPPED ] Line.opens
[  FAILED  ] 1 test, listed below:
[  FAILED  ] Line.closes
"""


class Counting(unittest.TestCase):
    def expect(self, output, succeeded, counts):
        count = suites.counted(output, succeeded)
        self.assertEqual((count.passed, count.failed, count.skipped), counts)

    def test_programs_of_the_core_print_the_line_itself(self):
        self.expect("FAILED x\n7 passed, 1 failed, 2 skipped\n", False, (7, 1, 2))

    def test_googletest_says_how_many_ran(self):
        self.expect(GTEST, False, (3, 1, 1))

    def test_node_prints_in_two_ways(self):
        self.expect("# pass 4\n# fail 1\n# skipped 2\n", False, (4, 1, 2))
        self.expect("ℹ pass 4\nℹ fail 0\nℹ skipped 0\n", True, (4, 0, 0))

    def test_vitest_prints_colours(self):
        self.expect("\x1b[2m      Tests \x1b[22m 1 failed | 41 passed (42)\n", False, (41, 1, 0))
        self.expect("      Tests  42 passed | 1 skipped (43)\n", True, (42, 0, 1))

    def test_unittest_says_how_many_ran(self):
        self.expect("Ran 9 tests in 0.1s\n\nFAILED (failures=2)\n", False, (7, 2, 0))
        self.expect("Ran 9 tests in 0.1s\n\nOK (skipped=3)\n", True, (6, 0, 3))

    def test_a_program_that_prints_no_count_is_one_test(self):
        self.expect("fine\n", True, (1, 0, 0))
        self.expect("Segmentation fault\n", False, (0, 1, 0))

    def test_a_program_that_breaks_after_its_tests_has_failed(self):
        self.expect("7 passed, 0 failed, 0 skipped\nAddressSanitizer\n", False, (7, 1, 0))

    def test_a_program_that_ran_nothing_has_failed(self):
        self.expect("0 passed, 0 failed, 0 skipped\n", True, (0, 1, 0))


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)
