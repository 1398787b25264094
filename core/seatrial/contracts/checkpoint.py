"""A checkpoint: everything a session is made of at one moment, frozen.

Orders and events are immutable, all else is held as the JSON it was written as; so a checkpoint shares nothing that
changes with the session it was taken from.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from seatrial.contracts.events import Event
from seatrial.contracts.latency import LatencyConfig
from seatrial.contracts.market import Instrument
from seatrial.contracts.orders import Order
from seatrial.contracts.risk import RiskConfig
from seatrial.contracts.terms import TradingState
from seatrial.contracts.venue import VenueConfig

__all__ = ["NOTHING", "AccountSummary", "ExecutionCheckpoint", "ObserverChoice", "SimulatorConfig"]

NOTHING = msgspec.Raw(b"null")
"""The state of what keeps none."""


class ObserverChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """An observer by name; one that was an object must be handed over again."""

    name: str
    is_object: bool = False


class SimulatorConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an :class:`~seatrial.venue.simulator.ExecutionSimulator` was opened with.

    A `latency` of `None` held a distribution of the user's own class, and must be handed over again.
    """

    simulator_id: str
    seed: int
    initial_cash: Decimal
    latency: LatencyConfig | None
    venue: VenueConfig
    risk: RiskConfig | None = None
    instruments: tuple[Instrument, ...] = ()
    observers: tuple[ObserverChoice, ...] = ()


class AccountSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The account as reported, for people: restoring reads the sections below it instead."""

    initial_cash: Decimal
    cash: Decimal
    equity: Decimal
    positions: dict[str, Decimal]
    trading_state: TradingState


class ExecutionCheckpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One moment of one session.

    `timestamp` is its simulated time in UNIX ns UTC. `pending` and `completed` are the client's orders with their full
    history, `originals` those of them that were replaced as they were before, `events` the whole log. `gate`, `engine`
    and `observers` are the states of the layers beneath, `strategy` whatever the strategy wanted kept, as JSON.
    """

    simulator_id: str
    timestamp: int
    config: SimulatorConfig
    account: AccountSummary
    pending: tuple[Order, ...]
    completed: tuple[Order, ...]
    originals: tuple[Order, ...]
    events: tuple[Event, ...]
    gate: msgspec.Raw
    engine: msgspec.Raw
    observers: msgspec.Raw
    strategy: msgspec.Raw = NOTHING

    @property
    def strategy_state(self) -> object:
        """What the strategy's `save_state()` returned, read anew each time; `None` where there was no strategy."""
        return msgspec.json.decode(self.strategy)
