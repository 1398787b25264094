"""What a session file may say, as TOML writes it: the shape that is checked, and that editors get as a JSON schema.

Amounts are TOML numbers or strings, durations strings with a unit such as `"10ms"`, times ISO-8601 with a time zone.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta

from seatrial.contracts.risk import DrawdownLimitRule, ExposureLimitRule, PositionLimitRule
from seatrial.contracts.scenario import DataKind
from seatrial.contracts.venue import AccountType, Convention, LimitFill, PriceImprovement

__all__ = [
    "CalendarTable",
    "ConstantTable",
    "CostsTable",
    "DelayTable",
    "EmpiricalTable",
    "FileTable",
    "HeadTable",
    "InstrumentTable",
    "LatencyTable",
    "LognormalTable",
    "NamedTable",
    "RiskTable",
    "RuleTable",
    "SessionFile",
    "StrategyTable",
    "TapeTable",
    "UniformTable",
    "VenueTable",
]


def _says(description: str) -> Meta:
    return Meta(description=description)


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of a session file."""


class HeadTable(_Table, frozen=True):
    """The run itself."""

    name: Annotated[str | None, _says("What runs are called: NAME-1, NAME-2, … Unless given, the file's own name.")] = (
        None
    )
    engine: Annotated[str, _says("The engine to run on; `seatrial engines` lists them.")] = "native"
    seed: Annotated[int, _says("What the delays are drawn from; the same seed gives the same run.")] = 0
    initial_cash: Annotated[Decimal, _says("The cash to begin with, in currency.")] = Decimal(100_000)
    checkpoint_every: Annotated[
        str | int, _says("When to leave a checkpoint: never, event, bar, or whole seconds of simulated time.")
    ] = "never"
    stop: Annotated[str | int | None, _says("The time after which the run ends: ISO-8601 with a zone, or UNIX ns.")] = (
        None
    )
    simulator_id: Annotated[str, _says("The name that checkpoints and random draws go by.")] = "sim"
    observers: Annotated[tuple[str, ...], _says("Observers of installed plugins, by name.")] = ()
    engine_params: Annotated[dict[str, Any], _says("Settings that one engine alone knows.")] = msgspec.field(
        default_factory=dict[str, Any]
    )


class CalendarTable(_Table, frozen=True):
    """The same session on each of the given days, in the market's own zone."""

    zone: Annotated[str, _says("An IANA time zone, such as America/New_York.")]
    opens: Annotated[str, _says("The wall-clock time of the open, such as 09:30.")]
    closes: Annotated[str, _says("The wall-clock time of the close, such as 16:00.")]
    days: Annotated[tuple[str | int, ...], _says("Weekdays: mon to sun, or 0 (Monday) to 6.")] = (0, 1, 2, 3, 4)


class InstrumentTable(_Table, frozen=True):
    """Something that trades."""

    symbol: Annotated[str, _says("Its name on the tape and on orders.")]
    tick_size: Annotated[Decimal | None, _says("The price grid, in currency; any price unless given.")] = None
    lot_size: Annotated[Decimal | None, _says("The quantity grid, in units; any quantity unless given.")] = None
    multiplier: Annotated[Decimal, _says("What one unit is worth per 1 of price, in currency.")] = Decimal(1)
    currency: Annotated[str, _says("The currency of its prices and of the account: one for all instruments.")] = "USD"
    calendar: Annotated[CalendarTable | None, _says("Its sessions; always open unless given.")] = None


class FileTable(_Table, frozen=True):
    """One CSV or Parquet file of market data."""

    path: Annotated[str, _says("The file, relative to the session file.")]
    kind: Annotated[DataKind, _says("What its rows are: bars, quotes or trades.")]
    symbol: Annotated[str | None, _says("The symbol of every row, where the file has no such column.")] = None
    columns: Annotated[dict[str, str], _says("Our column names to the file's own, where they differ.")] = msgspec.field(
        default_factory=dict[str, str]
    )
    unit: Annotated[str, _says("The unit of stamps that are whole numbers: ns, us, ms or s since 1970.")] = "ns"
    zone: Annotated[str | None, _says("The IANA time zone of stamps that carry none.")] = None


class TapeTable(_Table, frozen=True):
    """The market data: files, which are merged in time, or a bundled sample."""

    files: Annotated[tuple[FileTable, ...], _says("Files, merged in time.")] = ()
    sample: Annotated[str | None, _says("A bundled sample: ibm_daily or ticks.")] = None
    repair: Annotated[bool, _says("Drop and count rows that cannot be used, instead of stopping at the first.")] = False


class StrategyTable(_Table, frozen=True):
    """Who trades."""

    path: Annotated[str, _says("file.py:Class, relative to the session file, or package.module:Class.")]
    params: Annotated[dict[str, Any], _says("What the class is built with, by name.")] = msgspec.field(
        default_factory=dict[str, Any]
    )
    strategy_id: Annotated[str, _says("What its orders are called: ID-1, ID-2, …")] = "S"


class ConstantTable(_Table, frozen=True, tag_field="distribution", tag="constant"):
    """Always the same delay."""

    delay: str | int | float


class UniformTable(_Table, frozen=True, tag_field="distribution", tag="uniform"):
    """Every delay from `low` to `high`, equally likely."""

    low: str | int | float
    high: str | int | float


class LognormalTable(_Table, frozen=True, tag_field="distribution", tag="lognormal"):
    """A long-tailed delay: `least` + `median` * exp(`sigma` * Z), Z standard normal."""

    median: str | int | float
    sigma: float
    least: str | int | float = "0ms"


class EmpiricalTable(_Table, frozen=True, tag_field="distribution", tag="empirical"):
    """Delays that were measured, each as likely: in a file, one per line in `unit`, or listed here."""

    file: str | None = None
    unit: str = "ms"
    delays: tuple[str | int | float, ...] = ()


class NamedTable(_Table, frozen=True, tag_field="distribution", tag="named"):
    """A latency model of an installed plugin, by name."""

    name: str
    params: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])


DelayTable: TypeAlias = ConstantTable | UniformTable | LognormalTable | EmpiricalTable | NamedTable
"""How long one leg takes; a mere duration stands for a constant one."""


class LatencyTable(_Table, frozen=True):
    """How long messages travel: a profile, single legs, or a profile with some legs of your own."""

    profile: Annotated[str | None, _says("instant, fast, normal or slow.")] = None
    submit: Annotated[str | int | float | DelayTable | None, _says("Orders to the venue.")] = None
    ack: Annotated[str | int | float | DelayTable | None, _says("Accepts, refusals, cancels and expiries back.")] = None
    fill: Annotated[str | int | float | DelayTable | None, _says("Fills back.")] = None
    cancel: Annotated[str | int | float | DelayTable | None, _says("Cancels to the venue.")] = None
    modify: Annotated[
        str | int | float | DelayTable | None, _says("Modifies to the venue; like submit unless given.")
    ] = None


class RuleTable(_Table, frozen=True):
    """A risk rule by name, with parameters."""

    name: Annotated[str, _says("Its name; `seatrial rules` lists them.")]
    params: Annotated[dict[str, Any], _says("What the rule is built with, by name.")] = msgspec.field(
        default_factory=dict[str, Any]
    )


class RiskTable(_Table, frozen=True):
    """What may leave."""

    position_limit: Annotated[PositionLimitRule | None, _says("On one symbol: max_shares, max_value, action.")] = None
    exposure_limit: Annotated[
        ExposureLimitRule | None,
        _says("On all symbols, in per cent of equity: max_gross_exposure_pct, max_net_exposure_pct, action."),
    ] = None
    drawdown_limit: Annotated[
        DrawdownLimitRule | None,
        _says("On losses, in per cent: max_daily_drawdown_pct, max_total_drawdown_pct, action."),
    ] = None
    trading_enabled: Annotated[bool, _says("Whether orders may leave from the start.")] = True
    rules: Annotated[tuple[str | RuleTable, ...], _says("Further rules, by name or with parameters.")] = ()
    day_boundary: Annotated[str, _says("The wall-clock time at which the day turns.")] = "00:00"
    day_zone: Annotated[str, _says("The IANA time zone of day_boundary.")] = "UTC"
    max_price_age: Annotated[str | int | float | None, _says("A duration; an older price values nothing.")] = None


class CostsTable(_Table, frozen=True):
    """What trading costs: a schedule, or a fee model of an installed plugin."""

    per_share: Annotated[Decimal, _says("Commission per unit, in currency.")] = Decimal(0)
    bps: Annotated[Decimal, _says("Commission on the value, in basis points.")] = Decimal(0)
    minimum: Annotated[Decimal, _says("The least commission of an order, in currency.")] = Decimal(0)
    model: Annotated[str | None, _says("A fee model by name, instead of the three above.")] = None
    params: Annotated[dict[str, Any], _says("What the fee model is built with, by name.")] = msgspec.field(
        default_factory=dict[str, Any]
    )
    slippage_bps: Annotated[Decimal, _says("How much worse prices get where liquidity is taken, in basis points.")] = (
        Decimal(0)
    )


class VenueTable(_Table, frozen=True):
    """The account, and how orders are matched."""

    account: Annotated[AccountType, _says("cash: no short sales, nothing beyond cash; margin: both.")] = (
        AccountType.CASH
    )
    leverage: Annotated[Decimal, _says("A margin account's leverage.")] = Decimal(1)
    participation: Annotated[Decimal | None, _says("The share of a print or a bar's volume that may be ours.")] = None
    bar_theta: Annotated[Decimal, _says("The part of a bar by which an order must arrive to trade at its open.")] = (
        Decimal("0.5")
    )
    convention: Annotated[Convention | None, _says("The price an order meets: standing or next.")] = None
    limit_fill: Annotated[LimitFill | None, _says("When a resting limit fills: touch or through.")] = None
    price_improvement: Annotated[
        PriceImprovement, _says("When a limit gets more than it asks: on_arrival or always.")
    ] = PriceImprovement.ON_ARRIVAL


class SessionFile(_Table, frozen=True):
    """A session file of seatrial."""

    tape: TapeTable
    strategy: StrategyTable
    session: HeadTable = HeadTable()
    instruments: Annotated[
        tuple[InstrumentTable, ...], _says("What trades; a bundled sample brings its own instrument.")
    ] = ()
    latency: LatencyTable = LatencyTable()
    risk: RiskTable | None = None
    costs: CostsTable = CostsTable()
    venue: VenueTable = VenueTable()
