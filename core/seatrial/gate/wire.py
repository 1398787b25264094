"""The wire between gate and venue: requests out, reports back, each direction first in, first out.

A message is due when its leg's delay has passed, and never before the message sent ahead of it in the same direction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from seatrial.contracts.latency import LatencyConfig, Leg
from seatrial.gate.draws import Draws
from seatrial.gate.queue import NEVER, LatencyQueue

if TYPE_CHECKING:
    from seatrial.contracts.events import Event
    from seatrial.gate.ports import Request

__all__ = ["Wire"]


class _Track(msgspec.Struct, gc=False):
    """How often each leg was drawn for one order: the last part of the draws' keys."""

    key: str
    submit: int = 0
    ack: int = 0
    fill: int = 0
    cancel: int = 0
    modify: int = 0


class Wire:
    """Both directions of one link, with the draws of every order that is still under way."""

    __slots__ = (
        "_ack",
        "_counts",
        "_draws",
        "_fill",
        "_last_report",
        "_last_request",
        "_tracks",
        "reports",
        "requests",
    )

    def __init__(self, latency: LatencyConfig, seed: int, simulator_id: str) -> None:
        """Start with nothing on the wire."""
        self.requests: LatencyQueue[tuple[Request, object]] = LatencyQueue()
        self.reports: LatencyQueue[tuple[Event, object]] = LatencyQueue()
        self._draws = Draws(latency, seed, simulator_id)
        self._ack = self._draws.constant[Leg.ACK]
        self._fill = self._draws.constant[Leg.FILL]
        self._last_request = 0
        self._last_report = 0
        self._tracks: dict[str, _Track] = {}
        self._counts: dict[str, int] = {}

    def next_due(self) -> int:
        """Return when the next message arrives, or :data:`~seatrial.gate.queue.NEVER`."""
        due = min(self.requests.head, self.reports.head)
        return min(NEVER, due)

    def track(self, order_id: str, strategy_id: str) -> None:
        """Count a new order of a strategy; its draws are keyed by that count, not by its id."""
        n = self._counts[strategy_id] = self._counts.get(strategy_id, 0) + 1
        self._tracks[order_id] = _Track(f"{strategy_id}-{n}")

    def forget(self, order_id: str) -> None:
        """Drop the counts of an order that nothing more can be said about."""
        self._tracks.pop(order_id, None)

    def send(self, leg: Leg, order_id: str, now: int, request: Request, native: object) -> None:
        """Put a request on the wire."""
        delay = self._draws.constant[leg]
        if delay is None:
            delay = self._draw(leg, order_id)
        due = now + delay
        due = max(due, self._last_request)
        self._last_request = due
        self.requests.push(due, (request, native))

    def ack_due(self, order_id: str, timestamp: int) -> int:
        """Return when a report that is no fill, made at `timestamp`, reaches the client."""
        delay = self._ack
        if delay is None:
            delay = self._draw(Leg.ACK, order_id)
        return self.report_due(timestamp + delay)

    def fill_due(self, order_id: str, timestamp: int) -> tuple[int, int]:
        """Return when the report of a match at `timestamp` reaches the client, and which match of the order it is."""
        track = self._tracks[order_id]
        delay = self._fill
        if delay is None:
            delay = self._draw(Leg.FILL, order_id)
        else:
            track.fill += 1
        return self.report_due(timestamp + delay), track.fill

    def report_due(self, due: int) -> int:
        """Return `due`, or later if an earlier report is still to come."""
        if due < self._last_report:
            return self._last_report
        self._last_report = due
        return due

    def _draw(self, leg: Leg, order_id: str) -> int:
        track = self._tracks[order_id]
        n = getattr(track, leg) + 1
        setattr(track, leg, n)
        return self._draws.delay(leg, track.key, n)
