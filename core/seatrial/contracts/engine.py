"""Engines: what runs a scenario, what it claims to be able to do, and the record of what happened."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from seatrial.contracts.checkpoint import AccountSummary
from seatrial.contracts.events import Event
from seatrial.contracts.market import MarketEvent
from seatrial.contracts.orders import Order
from seatrial.contracts.scenario import Scenario

__all__ = [
    "Capability",
    "Decision",
    "Engine",
    "EngineInfo",
    "EngineSpec",
    "EquityPoint",
    "Headroom",
    "RunMonitor",
    "RunRecord",
    "TapeFault",
]


class Capability(StrEnum):
    """What an engine may claim. What it does not claim it refuses, loudly."""

    QUOTES = "quotes"
    TRADES = "trades"
    BARS = "bars"
    BAR_STRICT = "bar_strict"
    """Takes `bar_theta = 0`, under which an order that arrives within a bar never trades in it."""
    STANDING = "standing"
    """Takes `convention = standing`: an arriving order meets the price that stands."""
    NEXT = "next"
    """Takes `convention = next`: an arriving order meets the first price from then on."""
    THROUGH = "through"
    """Takes `limit_fill = through`: a resting limit fills only when the market trades beyond it."""
    SLIPPAGE = "slippage"
    FEES = "fees"
    CASH_ACCOUNT = "cash_account"
    MARGIN_ACCOUNT = "margin_account"
    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"
    TRAILING_STOP_LIMIT = "trailing_stop_limit"
    MARKET_ON_CLOSE = "market_on_close"
    MARKET_IF_TOUCHED = "market_if_touched"
    LIMIT_IF_TOUCHED = "limit_if_touched"
    MARKET_TO_LIMIT = "market_to_limit"
    GTC = "gtc"
    DAY = "day"
    GTD = "gtd"
    IOC = "ioc"
    FOK = "fok"
    AT_OPEN = "at_open"
    AT_CLOSE = "at_close"
    MODIFY = "modify"
    BRACKETS = "brackets"
    OCO = "oco"
    REDUCE_ONLY = "reduce_only"
    POST_ONLY = "post_only"
    PARTIAL_FILLS = "partial_fills"
    DELAY_SUBMIT = "delay_submit"
    DELAY_ACK = "delay_ack"
    DELAY_FILL = "delay_fill"
    DELAY_CANCEL = "delay_cancel"
    DELAY_MODIFY = "delay_modify"
    RISK_RULES = "risk_rules"
    CHECKPOINTS = "checkpoints"
    STRATEGIES = "strategies"
    """Runs the neutral strategy."""
    SCRIPTS = "scripts"
    """Runs a script of timed instructions."""


class EngineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An engine by name and version, with the capabilities it claims, by name."""

    name: str
    version: str
    capabilities: tuple[Capability, ...]
    summary: str = ""


class EquityPoint(msgspec.Struct, frozen=True, array_like=True):
    """The account's value (currency) at a time (UNIX ns UTC), as the client knew it."""

    ts: int
    equity: Decimal


class Decision(msgspec.Struct, frozen=True, array_like=True):
    """What the market showed for an order: when the strategy decided, and when the order was at the venue.

    Both are marks (currency per unit): quote mid, else trade, else bar close; `None` before the first.
    """

    order_id: str
    decided: Decimal | None
    arrived: Decimal | None


class Headroom(msgspec.Struct, frozen=True):
    """How much of a rule's limit was used at most, of what was let through; both in the unit that `what` names."""

    rule: str
    what: str
    used: Decimal
    limit: Decimal


class TapeFault(msgspec.Struct, frozen=True):
    """A row that was dropped, by file and line, and why."""

    file: str
    line: int
    problem: str


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that happened in a run.

    `started` and `ended` are simulated times in UNIX ns UTC, `rows` how many rows of the tape were used. `stopped` says
    why a run ended before its tape, and `None` for one that did not. `equity` are samples, thinned out evenly on long
    runs; `max_drawdown_pct` looks at every row. `faults` are the first of `fault_count` rows that were dropped.
    `analyses` are what the engine's own analyses found, by name, as JSON values.
    """

    engine: EngineInfo
    scenario: Scenario
    seatrial: str
    started: int
    ended: int
    rows: int
    stopped: str | None
    events: tuple[Event, ...]
    orders: tuple[Order, ...]
    account: AccountSummary
    equity: tuple[EquityPoint, ...]
    max_drawdown_pct: Decimal | None
    decisions: tuple[Decision, ...]
    headroom: tuple[Headroom, ...] = ()
    checkpoints: tuple[str, ...] = ()
    faults: tuple[TapeFault, ...] = ()
    fault_count: int = 0
    warnings: tuple[str, ...] = ()
    analyses: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])


class RunMonitor(Protocol):
    """Who watches a run while it goes on, and may end it."""

    def row(self, event: MarketEvent, count: int) -> bool:
        """Hear of each row once it is done; return whether to go on."""
        ...


class Engine(Protocol):
    """Runs scenarios."""

    def run(self, scenario: Scenario, *, directory: str | None = None, monitor: RunMonitor | None = None) -> RunRecord:
        """Run a scenario and return what happened.

        Checkpoints go into `directory`, where the scenario asks for any or `monitor` ends the run early.

        :raises SeatrialError: for a scenario that cannot be run, naming what is wrong.
        """
        ...


class EngineSpec(msgspec.Struct, frozen=True, kw_only=True):
    """An engine under a name; `load` is called when it is first needed, so that nothing else has to import it.

    :raises SeatrialError: from `load`, where the engine is not installed, with the line that installs it.
    """

    name: str
    version: str
    capabilities: frozenset[Capability]
    load: Callable[[], Engine]
    summary: str = ""

    @property
    def info(self) -> EngineInfo:
        """The spec without its code, as records keep it."""
        return EngineInfo(
            name=self.name,
            version=self.version,
            capabilities=tuple(sorted(self.capabilities)),
            summary=self.summary,
        )
