"""The wire between gate and venue: requests out, reports back, each direction first in, first out.

A message is due when its leg's delay has passed, and never before the message sent ahead of it in the same direction.
So due times only grow along a lane, and a lane needs no sorting: both ends cost O(1).
"""

from __future__ import annotations

from collections import deque
from itertools import takewhile
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from seatrial.contracts.events import AccountAdjusted, OrderEvent, OrderExecution
from seatrial.contracts.latency import LatencyConfig, Leg
from seatrial.errors import UnknownOrderError
from seatrial.gate.draws import Draws
from seatrial.gate.ports import NativeCodec, Request, read_native, write_native
from seatrial.gate.queue import NEVER

if TYPE_CHECKING:
    from seatrial.plugins import Plugins

__all__ = ["Lane", "Track", "Wire", "WireState"]

T = TypeVar("T")


class Lane(Generic[T]):
    """One direction. `head` is when its next message is due, `last` when the latest one was to arrive."""

    __slots__ = ("head", "last", "messages")

    def __init__(self) -> None:
        """Start with nothing under way."""
        self.messages: deque[tuple[int, T, object]] = deque()
        """(due, what it says, what came with it), next first."""
        self.head = NEVER
        self.last = 0

    def __len__(self) -> int:
        """Return how many messages are under way."""
        return len(self.messages)

    def push(self, due: int, message: T, native: object) -> None:
        """Add a message due at `due`, which :meth:`due` gave."""
        messages = self.messages
        if not messages:
            self.head = due
        messages.append((due, message, native))

    def pop(self) -> tuple[int, T, object]:
        """Take the next message: when it is due, what it says, what came with it.

        :raises IndexError: when nothing is under way.
        """
        messages = self.messages
        popped = messages.popleft()
        self.head = messages[0][0] if messages else NEVER
        return popped

    def due(self, due: int) -> int:
        """Return `due`, or later if an earlier message is still to come; the lane's last arrival is then this one."""
        if due < self.last:
            return self.last
        self.last = due
        return due


class Track(msgspec.Struct, gc=False, omit_defaults=True):
    """How often each leg was used for one order: the last part of the draws' keys."""

    strategy_id: str
    n: int
    submit: int = 0
    ack: int = 0
    fill: int = 0
    cancel: int = 0
    modify: int = 0


class WireState(msgspec.Struct, frozen=True):
    """Everything under way, as stored: due times, messages and what came with them, with each lane's last arrival."""

    requests: tuple[tuple[int, Request, msgspec.Raw], ...]
    requests_last: int
    reports: tuple[tuple[int, OrderEvent | AccountAdjusted, msgspec.Raw], ...]
    reports_last: int
    tracks: dict[str, Track]
    counts: dict[str, int]


class Wire:
    """Both lanes of one link, with the draws of every order that is still under way."""

    __slots__ = (
        "_counts",
        "_draws",
        "_fill_delay",
        "_first",
        "_is_drawn",
        "_submit_delay",
        "_tracks",
        "ack_delay",
        "at_once",
        "reports",
        "requests",
    )

    def __init__(self, latency: LatencyConfig, seed: int, simulator_id: str, plugins: Plugins | None) -> None:
        """Start with nothing on the wire."""
        self.requests: Lane[Request] = Lane()
        self.reports: Lane[OrderEvent | AccountAdjusted] = Lane()
        self._draws = Draws(latency, seed, simulator_id, plugins)
        self.ack_delay = self._draws.constant[Leg.ACK]
        """The ack leg's delay in ns where it never varies, else `None`."""
        self._submit_delay = self._draws.constant[Leg.SUBMIT]
        self._fill_delay = self._draws.constant[Leg.FILL]
        self.at_once = self._submit_delay == self.ack_delay == self._fill_delay == 0
        """Whether neither an order nor what is said of it ever takes any time."""
        self._is_drawn = None in self._draws.constant.values()  # else nobody asks which order it was
        self._tracks: dict[str, Track | int] = {}  # the bare count, until a leg is used, of the first strategy's orders
        self._counts: dict[str, int] = {}
        self._first: str | None = None

    def next_due(self) -> int:
        """Return when the next message arrives, or :data:`~seatrial.gate.queue.NEVER`."""
        due, other = self.requests.head, self.reports.head
        return min(other, due)

    def tells_fill(self, until: int) -> bool:
        """Return whether a fill is to be told by `until`."""
        messages = self.reports.messages
        return any(type(event) is OrderExecution for _, event, _ in takewhile(lambda one: one[0] <= until, messages))

    def track(self, order_id: str, strategy_id: str) -> None:
        """Count a new order of a strategy; its draws are keyed by that count, not by its id."""
        n = self._counts[strategy_id] = self._counts.get(strategy_id, 0) + 1
        if self._is_drawn:
            self._tracks[order_id] = n if strategy_id == self._first else self._begin(strategy_id, n)

    def forget(self, order_id: str) -> None:
        """Drop the counts of an order of which nothing more can be said."""
        self._tracks.pop(order_id, None)

    def send(self, leg: Leg, order_id: str, now: int, request: Request, native: object) -> None:
        """Put a request on the wire."""
        delay = self._submit_delay if leg is Leg.SUBMIT else self._draws.constant[leg]
        if delay is None:
            delay = self._draw(leg, order_id)
        requests = self.requests
        due = now + delay if delay else now
        if due < requests.last:
            due = requests.last
        else:
            requests.last = due
        if not requests.messages:
            requests.head = due
        requests.messages.append((due, request, native))

    def crosses(self, now: int) -> bool:
        """Return whether an order sent `now` is told of as filled before anything else happens, if it is filled then.

        That is for a wire on which nothing takes any time.
        """
        requests, reports = self.requests, self.reports
        return not (requests.messages or reports.messages or requests.last > now or reports.last > now)

    def cross(self, strategy_id: str, now: int) -> None:
        """Count a new order of a strategy, of which all there is to say was said at once."""
        self._counts[strategy_id] = self._counts.get(strategy_id, 0) + 1
        self.requests.last = self.reports.last = now

    def next_fill(self, order_id: str, *, partial: bool) -> tuple[int, int]:
        """Count a match of an order; return which it is, and the delay of its report in ns.

        The match that completes an order is its last and needs no count, unless its delay is drawn.
        """
        track, delay = self._tracks.get(order_id), self._fill_delay
        if not partial and delay is not None and (track is None or isinstance(track, int) or not track.fill):
            return 1, delay
        track = self._track(order_id)
        track.fill = n = track.fill + 1
        return n, self._draws.delay(Leg.FILL, f"{track.strategy_id}-{track.n}", n) if delay is None else delay

    def ack_delay_of(self, order_id: str) -> int:
        """Return the delay of the next report about an order that is no fill, in ns."""
        delay = self.ack_delay
        return self._draw(Leg.ACK, order_id) if delay is None else delay

    def _draw(self, leg: Leg, order_id: str) -> int:
        """Draw the next delay of a leg for an order, in ns."""
        track = self._track(order_id)
        n = getattr(track, leg) + 1
        setattr(track, leg, n)
        return self._draws.delay(leg, f"{track.strategy_id}-{track.n}", n)

    def _begin(self, strategy_id: str, n: int) -> Track | int:
        """Return the counts of an order that is not known to be the first strategy's."""
        if self._first is None:
            self._first = strategy_id
            return n
        return Track(strategy_id, n)

    def _track(self, order_id: str) -> Track:
        """Return the counts of an order that uses a leg.

        :raises UnknownOrderError: for an id that was never sent, or of which nothing more can be said.
        """
        track = self._tracks.get(order_id)
        if track is None:
            if self._is_drawn:
                raise UnknownOrderError(order_id)
            track = 0
        if isinstance(track, int):
            track = self._tracks[order_id] = Track(self._first or "", track)
        return track

    # -- state -----------------------------------------------------------------------------------------------------

    def snapshot(self, codec: NativeCodec | None) -> WireState:
        """Return everything under way; `codec` writes what came with it.

        :raises InvalidConfigError: for a payload that nobody can write.
        """
        first, known = self._first or "", self._tracks.items()
        tracks = {
            key: Track(first, one) if isinstance(one, int) else msgspec.structs.replace(one) for key, one in known
        }
        return WireState(
            tuple([(due, request, write_native(native, codec)) for due, request, native in self.requests.messages]),
            self.requests.last,
            tuple([(due, event, write_native(native, codec)) for due, event, native in self.reports.messages]),
            self.reports.last,
            tracks,
            dict(self._counts),
        )

    def restore(self, state: WireState, codec: NativeCodec | None) -> None:
        """Put everything under way that `state` says."""
        _refill(self.requests, state.requests, state.requests_last, codec)
        _refill(self.reports, state.reports, state.reports_last, codec)
        self._tracks = {order_id: msgspec.structs.replace(track) for order_id, track in state.tracks.items()}
        self._counts = dict(state.counts)


def _refill(
    lane: Lane[T], messages: tuple[tuple[int, T, msgspec.Raw], ...], last: int, codec: NativeCodec | None
) -> None:
    lane.messages = deque((due, message, read_native(native, codec)) for due, message, native in messages)
    lane.head = messages[0][0] if messages else NEVER
    lane.last = last
