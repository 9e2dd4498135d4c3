#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How jouleway ends when it is called wrongly or only asked something: `usage_test.py PROGRAM`."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

PROGRAM = sys.argv.pop()
ROOT = pathlib.Path(__file__).resolve().parents[2]


def jouleway(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60,
                          check=False)


class Usage(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def check(self, device):
        """The outcome of --check-config for settings with that device."""
        path = self.folder / "jouleway.json"
        path.write_text(json.dumps({
            "gateway": "gw-1", "buses": [{"name": "b", "type": "modbus_tcp", "host": "h"}],
            "devices": [{"name": "d", "bus": "b", **device}]}))
        return jouleway("--check-config", "--config", str(path))

    def test_wrong_usage_ends_with_2(self):
        for arguments in (["--nonsense"], ["--config"], ["word"], ["--schema=maybe"]):
            run = jouleway(*arguments)
            self.assertEqual((run.returncode, run.stdout), (2, ""), arguments)
            self.assertTrue(run.stderr, arguments)

    def test_what_is_only_asked_ends_with_0(self):
        for argument in ("--help", "--version", "--schema", "--drivers"):
            run = jouleway(argument)
            self.assertEqual((run.returncode, run.stderr), (0, ""), argument)
            self.assertTrue(run.stdout, argument)
        self.assertIn("sunspec", jouleway("--drivers").stdout.splitlines())

    def test_a_register_map_is_checked_with_the_settings(self):
        good = ROOT / "devices" / "sdm120.json"
        self.assertEqual(self.check({"map": str(good)}).returncode, 0)
        wrong = json.loads(good.read_text())
        wrong["rows"][3]["divide"] = 0
        wrong["rows"][4]["format"] = "u17"
        path = self.folder / "sdm120.json"
        path.write_text(json.dumps(wrong))
        run = self.check({"map": str(path)})
        self.assertEqual(run.returncode, 2)
        for words in (f"/devices/0/map: {path}: /rows/3/divide: 0: must be a whole number",
                      f'/devices/0/map: {path}: /rows/4/format: "u17": must be one of'):
            self.assertIn(words, run.stderr)


if __name__ == "__main__":
    unittest.main()
