#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real gateway at brokers that misbehave: whatever they do, every accepted reading arrives in
the end, in order, and what one of them refuses for good is counted and announced."""
import pathlib
import socket
import sys
import unittest

from scripted_broker import PUBLISH, ScriptedBroker
from simulated_site import Devices, Gateway, Records, Site, report, settings, wait_for

INFLIGHT = 20


class NeverAcknowledges(ScriptedBroker):
    """Its first session takes everything and never says so."""

    def publish(self, session, packet, topic, payload):
        if session.number > 1:
            super().publish(session, packet, topic, payload)


class AcknowledgesInReverse(ScriptedBroker):
    """Waits for a handful of messages, then acknowledges them from the last to the first."""
    together = 5
    reversals = 0

    def publish(self, session, packet, topic, payload):
        self.store(topic, payload)
        # Alone on its way is only what nothing else comes behind: status, the first event.
        if len(session.open) < self.together and session.published > self.together:
            return
        self.reversals += len(session.open) > 1
        for waiting in reversed(list(session.open)):
            session.acknowledge(waiting)


class ClosesAfterPackets(ScriptedBroker):
    """Each of its first sessions ends with a message that it neither takes nor acknowledges."""
    lengths = (1, 2, 4, 9)

    def publish(self, session, packet, topic, payload):
        if session.number <= len(self.lengths) and \
                session.published >= self.lengths[session.number - 1]:
            session.connection.shutdown(socket.SHUT_RDWR)
            return
        super().publish(session, packet, topic, payload)


class RejectsOneRecord(ScriptedBroker):
    """Refuses every message with one telemetry record in it."""
    seq = 30
    refusals = 0
    reason = 0x99  # payload format invalid

    def publish(self, session, packet, topic, payload):
        batch = self.batch(topic, payload)
        if batch and batch["class"] == 3 and \
                any(reading["seq"] == self.seq for reading in batch.get("readings", ())):
            self.refusals += 1
            session.acknowledge(packet, self.reason)
        else:
            super().publish(session, packet, topic, payload)


class TakesOneAtATime(ScriptedBroker):
    """Announces Receive Maximum 1; acknowledges a message only when it has looked for a second."""

    def __init__(self, records):
        super().__init__(records, receive_maximum=1)

    def publish(self, session, packet, topic, payload):
        early = session.next_kind(0.005) == PUBLISH
        self.open_most = max(self.open_most, len(session.open) + early)
        super().publish(session, packet, topic, payload)


class Place:
    """A gateway with one meter at one broker."""

    def __init__(self, site, broker_type, **changes):
        folder = site.folder / broker_type.__name__
        folder.mkdir()
        self.records = Records()
        self.broker = site.add(broker_type(self.records))
        meter = site.add(Devices("demo_meter", "--tcp", "0"))
        wishes = settings(folder, self.broker, [meter.where["port"]], clock="system", **changes)
        self.gateway = site.add(Gateway(folder, wishes))
        self.gateway.start()
        self.gateway.wait_ready()

    def accepted(self):
        return sum(self.gateway.accepted_now().values())

    def all_is_there(self):
        """Everything accepted by now is delivered within the deadline."""
        accepted = self.gateway.accepted_now()
        wait_for(lambda: not self.records.missing(accepted), f"{accepted} has arrived")
        assert sum(accepted.values()) > 30, accepted
        assert not self.records.problems, self.records.problems[:3]


class BrokerFaults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.site = cls.enterClassContext(Site())
        # The gateway gives up a broker that acknowledges nothing for 30 s: meanwhile the others.
        cls.silent = Place(cls.site, NeverAcknowledges, sinks__0__batch={"readings": 1})

    def test_z_nothing_counts_as_delivered_at_a_broker_that_never_acknowledges(self):
        silent = self.silent
        wait_for(lambda: silent.accepted() > 100, "readings are accepted all the same")
        sink = silent.gateway.ask("/api/v1/outbox")["sinks"][0]
        self.assertEqual(sum(sink["confirmed_to"]), 0)
        self.assertGreaterEqual(silent.broker.open_most, INFLIGHT - 2)
        # Batches, and the status, for which two places are kept.
        self.assertLessEqual(silent.broker.open_most, INFLIGHT + 2)
        self.assertFalse(silent.records.records)
        wait_for(lambda: silent.broker.connects > 1, "the gateway gives the session up", 45)
        silent.all_is_there()

    def test_acknowledgements_in_reverse_order_confirm_what_they_name(self):
        place = Place(self.site, AcknowledgesInReverse, sinks__0__batch={"readings": 2})
        wait_for(lambda: place.broker.reversals > 10, "it has reversed some")
        place.broker.together = 1  # none of the last ones is kept waiting
        place.all_is_there()
        self.assertEqual(place.records.duplicates, 0)

    def test_a_broker_that_closes_after_some_packets_gets_the_rest_again(self):
        place = Place(self.site, ClosesAfterPackets, sinks__0__batch={"readings": 2})
        wait_for(lambda: place.broker.connects > len(ClosesAfterPackets.lengths),
                 "a session that holds", 60)
        wait_for(lambda: place.accepted() > 60, "some more readings")
        place.all_is_there()

    def test_one_refused_record_is_set_aside_and_harms_no_other(self):
        place = Place(self.site, RejectsOneRecord)
        # What was under way behind the refused message arrives ahead of what is sent again.
        place.records.strict_order = False
        wait_for(lambda: place.accepted() > 60, "readings are accepted behind it")
        place.all_is_there()
        epoch = place.gateway.ask("/api/v1/outbox")["epoch"]
        self.assertNotIn((epoch, 3, RejectsOneRecord.seq), place.records.records)
        gap = (epoch, 3, RejectsOneRecord.seq, RejectsOneRecord.seq, "rejected")
        self.assertIn(gap, place.records.gaps)
        self.assertIn(place.broker.refusals, range(3, 9))  # in its batches, three times alone
        self.assertIn('jouleway_sink_records_rejected_total{sink="broker"} 1\n',
                      place.gateway.ask("/metrics"))
        self.assertIn("sink_refuses", place.gateway.faults())
        letters = pathlib.Path(place.gateway.folder / "state" / "dead-letters-broker").read_text()
        self.assertEqual(letters.split()[:3], [epoch, "3", str(RejectsOneRecord.seq)])

    def test_receive_maximum_of_one_is_obeyed(self):
        place = Place(self.site, TakesOneAtATime, sinks__0__batch={"readings": 1})
        wait_for(lambda: len(place.records.records) > 100, "readings arrive one by one")
        place.all_is_there()
        self.assertEqual(place.broker.open_most, 1)
        self.assertEqual(place.broker.connects, 1)


if __name__ == "__main__":
    sys.exit(report(unittest.main(argv=sys.argv, exit=False, verbosity=2, warnings="ignore")))
