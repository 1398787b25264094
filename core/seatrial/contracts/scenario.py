"""A scenario: everything that defines a run. The same scenario gives the same run, to the byte."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

from seatrial.contracts._expect import expect
from seatrial.contracts.events import OrderChange
from seatrial.contracts.latency import LATENCY_INSTANT, LatencyConfig
from seatrial.contracts.market import Bar, Instrument, Quote, Trade
from seatrial.contracts.orders import Order
from seatrial.contracts.risk import RiskConfig
from seatrial.contracts.terms import TradingState
from seatrial.contracts.venue import VenueConfig
from seatrial.errors import InvalidConfigError

__all__ = [
    "CancelAt",
    "DataKind",
    "ExecutionConfig",
    "Instruction",
    "ModifyAt",
    "Scenario",
    "StrategyRef",
    "SubmitAt",
    "SwitchAt",
    "Tape",
    "TapeFile",
]

_CASH = Decimal(100_000)
_EVERY = ("never", "event", "bar")


class DataKind(StrEnum):
    """What the rows of a tape are."""

    BARS = "bars"
    QUOTES = "quotes"
    TRADES = "trades"


class TapeFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One CSV or Parquet file of market data.

    `columns` maps our names (ts or date, symbol, open, high, low, close, volume, bid, ask, bid_size, ask_size, price,
    size) to the file's where they differ; `symbol` stands for a column that is missing. `unit` is that of whole-number
    stamps: ns, us, ms or s since 1970; `zone` (an IANA name) that of stamps without one.
    """

    path: str
    kind: DataKind
    symbol: str | None = None
    columns: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    unit: str = "ns"
    zone: str | None = None


class Tape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The market data of a run: files, a bundled sample (`ibm_daily` or `ticks`), or rows given here.

    Files are merged in time. `repair` drops rows that cannot be used and counts them, instead of stopping at the first.
    `feeds` stands in records alone: the symbols of what a program fed to its engine itself, which cannot be read again.
    """

    files: tuple[TapeFile, ...] = ()
    sample: str | None = None
    rows: tuple[Quote | Trade | Bar, ...] = ()
    repair: bool = False
    feeds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a tape without data, or from several places.

        :raises InvalidConfigError: naming the setting.
        """
        if sum(map(bool, (self.files, self.sample, self.rows, self.feeds))) != 1:
            raise InvalidConfigError("tape", self.sample, "give either files, or a sample, or rows")


class StrategyRef(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a strategy's class is (`package.module:Class` or `path/to/file.py:Class`) and what it is built with."""

    path: str
    params: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    strategy_id: str = "S"


class SubmitAt(msgspec.Struct, frozen=True, tag_field="do", tag="submit"):
    """Send an order, or a bracket with its entry first, at `at` (UNIX ns UTC)."""

    at: int
    orders: tuple[Order, ...]


class CancelAt(msgspec.Struct, frozen=True, tag_field="do", tag="cancel"):
    """Ask to end an order."""

    at: int
    order_id: str


class ModifyAt(msgspec.Struct, frozen=True, tag_field="do", tag="modify"):
    """Ask to change an order."""

    at: int
    order_id: str
    change: OrderChange


class SwitchAt(msgspec.Struct, frozen=True, tag_field="do", tag="switch"):
    """An operator's word; unless told otherwise, to halt cancels what works, and to restrict leaves it."""

    at: int
    state: TradingState
    by: str
    reason: str
    cancel_working: bool | None = None


Instruction: TypeAlias = SubmitAt | CancelAt | ModifyAt | SwitchAt
"""One line of a script."""


class ExecutionConfig(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How orders are executed.

    `initial_cash` is in currency. `checkpoint_every` is `never`, `event`, `bar`, or whole seconds of simulated time.
    """

    simulator_id: str = "sim"
    seed: int = 0
    initial_cash: Decimal = _CASH
    latency: LatencyConfig = LATENCY_INSTANT
    venue: VenueConfig = VenueConfig()
    risk: RiskConfig | None = None
    observers: tuple[str, ...] = ()
    checkpoint_every: str | int = "never"

    def __post_init__(self) -> None:
        """Refuse what cannot be used.

        :raises InvalidConfigError: naming the setting.
        """
        every = self.checkpoint_every
        expect("checkpoint_every", every, str | int, "'never', 'event', 'bar', or whole seconds")
        if (isinstance(every, str) and every not in _EVERY) or (isinstance(every, int) and every < 1):
            raise InvalidConfigError("checkpoint_every", every, "give 'never', 'event', 'bar', or whole seconds")


class Scenario(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Everything that defines a run: what trades, the tape, who trades or what is sent when, and how it is executed.

    `engine_params` are for one engine alone. The run begins with the tape, and ends with it or after `stop` (UNIX ns
    UTC); `resume_from` is a checkpoint's file, from which it goes on instead.
    """

    tape: Tape
    instruments: tuple[Instrument, ...] = ()
    strategy: StrategyRef | None = None
    script: tuple[Instruction, ...] = ()
    execution: ExecutionConfig = ExecutionConfig()
    engine_params: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    stop: int | None = None
    resume_from: str | None = None
