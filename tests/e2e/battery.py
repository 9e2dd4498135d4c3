#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The battery path of real processes: a simulated TinyBMS on a pseudo terminal, the gateway, a CAN
bus. Each case prints its time line.

    tests/e2e/battery.py [--slcan] [CASE…]

On vcan0, read by candump, as root in a kernel that has it (tests/uml/run_in_guest.py); with --slcan
anywhere, through an adapter that is played here."""
import json
import signal
import struct
import subprocess
import sys
import time
import unittest

from battery_site import (ALARMS, BMS_INTERNAL_ALARM, CHARGE, EXTREMES, LIMITS, MEASURED, TEXTS,
                          Adapter, Bms, TimeLine, VirtualCan, battery_gateway, limits_of,
                          pair)
from simulated_site import JOULECTL, Site, report, wait_for

SLCAN = "--slcan" in sys.argv
# How often each id comes, in seconds (battery-can: the tables of profile victron, by hand).
PERIODS = {0x351: 1, 0x355: 1, 0x356: 1, 0x35A: 1, 0x35E: 2, 0x35F: 2, 0x370: 2, 0x371: 2, 0x372: 1,
           0x373: 1, 0x374: 1, 0x375: 1, 0x376: 1, 0x377: 1, 0x378: 1, 0x379: 5, 0x380: 5, 0x381: 5,
           0x382: 5}
JITTER_S = 0.2
FALL_S = 0.020       # p99, from the answer of the BMS to the frame
CHARGE_ZERO_S = 10   # T2
SILENT_S = 60        # T3
FULL_A = 40.0
# A limit comes back soon, and never goes far enough to be called chatter.
QUICK = {"rise_hold_s": 1, "rise_ma_per_s": 50_000, "chatter_permille": 1000}


class Battery(unittest.TestCase):
    def begin(self, title, scene="nominal", law=None):
        self.site = self.enterContext(Site())
        self.line = TimeLine(title)
        self.addCleanup(self.line.show)
        self.can = self.site.add(Adapter() if SLCAN else VirtualCan())
        self.bms = self.site.add(Bms(self.site.folder, scene))
        self.gateway = self.site.add(battery_gateway(self.site.folder, self.bms, self.can, law))
        self.gateway.start()
        self.started = self.line.tell("the gateway starts")

    def working(self):
        """Waits until the battery may charge with what its owner allows."""
        self.can.wait_limits(lambda limits: limits.charge_a == FULL_A, "charging is allowed", 20,
                             self.started)

    def told(self, log, *arguments):
        """What joulectl says of a log, one object a line."""
        run = subprocess.run([str(JOULECTL), *arguments], input=log, text=True,
                             capture_output=True, timeout=60, check=False)
        self.assertEqual(run.returncode, 0, run.stdout[-2000:] + run.stderr)
        return [json.loads(line) for line in run.stdout.splitlines()]

    def newest(self, identifier):
        return self.can.since(self.started, identifier)[-1].data

    def fault(self, kind, raised, deadline_s=20):
        """Waits until the fault is raised, or is not any more."""
        wait_for(lambda: (kind in self.gateway.faults()) == raised,
                 f"{kind} is {'raised' if raised else 'cleared'}", deadline_s)
        return self.line.tell(f"fault {kind} is {'raised' if raised else 'cleared'}")

    def test_1_nominal(self):
        self.begin("nominal: ids, periods, values")
        wait_for(lambda: len(self.can.since(self.started, 0x382)) >= 4, "four rounds", 40)
        seen = {frame.id for frame in self.can.since(self.started)}
        self.assertEqual({f"{one:X}" for one in seen}, {f"{one:X}" for one in PERIODS})
        wrong = []
        for identifier, period in PERIODS.items():
            times = [frame.time for frame in self.can.since(self.started, identifier)]
            gaps = [b - a for a, b in zip(times, times[1:])]
            print(f"  {identifier:X}: {len(times)} times, every {period} s: "
                  f"{min(gaps):.3f} to {max(gaps):.3f} s")
            wrong += [(f"{identifier:X}", gap) for gap in gaps if abs(gap - period) > JITTER_S]
        self.assertFalse(wrong)
        self.values_are_those_of_the_bms()
        self.our_own_tools_agree()
        self.line.limits(self.can.frames)

    def values_are_those_of_the_bms(self):
        words = self.bms.live_answers()[-1].registers
        low_high = [word.to_bytes(2, "little") for word in words]
        volt, = struct.unpack("<f", low_high[36] + low_high[37])
        ampere, = struct.unpack("<f", low_high[38] + low_high[39])
        percent = (words[47] << 16 | words[46]) / 1e6
        limits = limits_of(self.can.since(self.started, LIMITS)[-1])
        full_v, empty_v = 16 * 3.65, 16 * 2.8  # registers 300 and 301
        self.assertEqual(limits[1:], (full_v, FULL_A, 60.0, empty_v))
        voltage, current, temperature = struct.unpack("<hhh", self.newest(MEASURED)[:6])
        self.assertAlmostEqual(voltage / 100, volt, delta=0.02)
        self.assertAlmostEqual(current / 10, ampere, delta=0.1)
        self.assertEqual(temperature, words[42])
        soc, soh, finer = struct.unpack("<HHH", self.newest(CHARGE)[:6])
        self.assertEqual((soc, finer), (int(percent), int(percent * 100)))
        self.assertEqual(soh, words[45] // 500)
        for identifiers, text in TEXTS.items():
            self.assertEqual(b"".join(map(self.newest, identifiers)).rstrip(b"\0").decode(), text)
        low, high, cold, hot = struct.unpack("<HHHH", self.newest(EXTREMES))
        self.assertAlmostEqual(low, min(words[:16]) / 10, delta=1)
        self.assertAlmostEqual(high, max(words[:16]) / 10, delta=1)
        self.assertEqual((cold, hot), ((words[42] + 5) // 10 + 273,) * 2)
        alarms = self.can.since(self.started, ALARMS)[-1]
        raised = [bit for bit in range(0, 64, 2) if pair(alarms, bit) == 1]
        self.assertEqual(raised, [], alarms.data.hex())
        self.line.tell(f"the BMS says {volt:.2f} V, {ampere:.1f} A, {percent:.2f} %; "
                       f"so does the bus: {voltage / 100:.2f} V, {current / 10:.1f} A, "
                       f"{finer / 100:.2f} %")

    def our_own_tools_agree(self):
        log = self.can.log()
        summary = self.told(log, "can", "check", "-")
        self.line.tell(f"joulectl can check: {json.dumps(summary[-1])}")
        decoded = self.told(log, "decode", "candump", "-")
        self.assertEqual(len(decoded), len(log.splitlines()))
        self.assertFalse([row for row in decoded if "name" not in row])
        limits = [row["values"] for row in decoded if row["name"] == "limits"][-1]
        self.assertEqual((limits["charge_current_ma"], limits["charge_voltage_mv"]),
                         (40_000, 58_400))

    @unittest.skipIf(SLCAN, "measured with the time stamps of the kernel")
    def test_2_cell_over_voltage(self):
        self.begin("cell over-voltage: from the answer of the BMS to 0x351", law=QUICK)
        self.working()
        waits = []
        for millivolts in [3800] * 12:
            waits.append(self.fall(3800, lambda limits: limits.charge_a == 0))
            self.rise()
        self.line.tell("12 times from 38.8 A to 0: " + distribution(waits))
        over_voltage = len(waits)
        # A cell that creeps up the ramp: every step is a limit that falls.
        for millivolts in 2 * [*range(3377, 3425), *range(3426, 3450, 2)]:
            if millivolts == 3377:
                self.rise()
            before = limits_of(self.can.since(self.started, LIMITS)[-1]).charge_a
            waits.append(self.fall(millivolts, lambda limits, b=before: limits.charge_a < b))
        self.line.tell(f"{len(waits) - over_voltage} steps up the ramp: "
                       + distribution(waits[over_voltage:]))
        self.line.tell(f"all {len(waits)}: " + distribution(waits))
        self.assertGreaterEqual(len(waits), 100)
        self.assertLessEqual(percentile(waits, 99), FALL_S, sorted(waits)[-5:])

    def fall(self, millivolts, fallen):
        """Raises cell 4; gives the seconds from the BMS's answer to the frame."""
        begun = time.time()
        self.bms.set_cell(3, millivolts)
        said = wait_for(lambda: self.bms.said(3, millivolts, begun), "the BMS tells it").time
        return self.can.wait_limits(fallen, f"the limit falls at {millivolts} mV",
                                    since=said).time - said

    def rise(self):
        self.bms.set_cell(3, 3376)
        self.can.wait_limits(lambda limits: limits.charge_a == 38.8, "the limit is back")

    def test_3_silence(self):
        self.begin("silence: less and less, then nothing, then back", law=QUICK)
        self.working()
        self.bms.tell("silent")
        self.line.tell("the BMS falls silent")
        self.can.wait_limits(lambda limits: limits.charge_a == limits.discharge_a == 0,
                             "both currents are 0")
        last = self.line.tell("its last answer", self.bms.live_answers()[-1].time)
        self.fault("battery_stale", True)
        frames = [limits_of(frame) for frame in self.can.since(last, LIMITS)]
        for name in ("charge_a", "discharge_a"):
            currents = [getattr(one, name) for one in frames]
            self.assertEqual(currents, sorted(currents, reverse=True), name)
            self.assertTrue(any(0 < current < FULL_A for current in currents), currents)
            zero = next(one.time for one in frames if getattr(one, name) == 0) - last
            self.line.tell(f"{name} is 0 {zero:.2f} s after the last answer", last + zero)
            self.assertLessEqual(zero, CHARGE_ZERO_S + JITTER_S)
            late = [one for one in frames if getattr(one, name) > 0
                    and one.time - last > CHARGE_ZERO_S]
            self.assertFalse(late)
        alarm = self.can.wait(lambda frame: frame.id == ALARMS
                              and pair(frame, BMS_INTERNAL_ALARM) == 1, "0x35A says so",
                              since=last)
        self.line.tell("0x35A: alarm bms_internal", alarm.time)
        # Nothing more: at least until the inverter has said three times that it is there.
        wait_for(lambda: time.time() - self.can.since(last)[-1].time > 3, "it falls silent", 80)
        end = self.can.since(last)[-1].time
        self.line.tell("the last frame", end)
        heard = len(self.can.frames)
        wait_for(lambda: SLCAN or len(self.can.frames) >= heard + 3, "the inverter goes on")
        self.assertEqual(self.can.since(last)[-1].time, end)
        self.assertAlmostEqual(end - last, SILENT_S, delta=1 + JITTER_S)
        self.assertTrue(all(limits_of(frame).charge_v > 40
                            for frame in self.can.since(self.started, LIMITS)))
        self.bms.tell("speak")
        back = self.line.tell("the BMS speaks again")
        first = self.can.wait_limits(lambda limits: True, "it sends again", since=back)
        self.line.tell("it sends again", first.time)
        self.can.wait_limits(lambda limits: limits.charge_a == FULL_A, "charging is back",
                             since=back)
        self.fault("battery_stale", False)
        self.line.limits(self.can.frames)

    def test_4_asleep(self):
        self.begin("a BMS that sleeps: the first question only wakes it", scene="asleep")
        self.working()
        first = self.bms.live_answers()[0].time
        self.line.tell("the first answer of the BMS", first)
        sent = self.can.since(self.started)[0].time
        self.line.tell("the first frame", sent)
        self.assertGreater(sent, first)
        self.assertLess(sent - first, 3)
        self.line.limits(self.can.frames)

    @unittest.skipIf(SLCAN, "an adapter has no interface")
    def test_5_interface_down_and_up(self):
        self.begin("the interface goes down and comes up")
        self.working()
        VirtualCan.ip("set", "vcan0", "down")
        self.line.tell("ip link set vcan0 down")
        self.fault("can_trouble", True)
        VirtualCan.ip("set", "vcan0", "up")
        up = self.line.tell("ip link set vcan0 up")
        wait_for(lambda: {frame.id for frame in self.can.since(up)} == set(PERIODS), "all ids")
        again = self.can.since(up)
        self.line.tell(f"the first of {len(again)} frames", again[0].time)
        firsts = [next(frame.time for frame in again if frame.id == one) for one in PERIODS]
        self.line.tell("the last of all ids", max(firsts))
        self.assertLess(max(firsts) - min(firsts), JITTER_S)
        self.assertLess(min(firsts) - up, 1.5)
        self.fault("can_trouble", False)
        self.line.limits(self.can.frames)

    def test_6_restart(self):
        self.begin("a restart, as for an update")
        self.working()
        self.line.tell("SIGTERM")
        code = self.gateway.kill(signal.SIGTERM)
        ended = self.line.tell(f"the gateway has ended with {code}")
        self.gateway.start()
        self.assertEqual(code, 0)
        first = self.can.wait_limits(lambda limits: True, "it sends again", since=ended)
        before = [frame for frame in self.can.frames if frame.time < ended and frame.id == LIMITS]
        gap = first.time - before[-1].time
        self.line.tell(f"0x351 again, {gap:.2f} s after the last one", first.time)
        live = next(one.time for one in self.bms.live_answers() if one.time > ended)
        settings = next(one.time for one in self.bms.answers
                        if one.time > ended and len(one.registers) == 44)
        self.line.tell("the first live values", live)
        self.line.tell("the settings of the BMS", settings)
        self.assertLess(gap, 3)
        self.assertGreater(self.can.since(ended)[0].time, max(live, settings))
        self.assertEqual(first.charge_a, FULL_A)
        self.line.limits(self.can.frames)


def percentile(waits, percent):
    """The nearest rank."""
    return sorted(waits)[-(-len(waits) * percent // 100) - 1]


def distribution(waits):
    return ", ".join(f"p{percent} {1000 * percentile(waits, percent):.1f} ms"
                     for percent in (50, 90, 99, 100))


if __name__ == "__main__":
    names = [word for word in sys.argv if word != "--slcan"]
    program = unittest.main(argv=names, exit=False, verbosity=2)
    sys.exit(report(program))
