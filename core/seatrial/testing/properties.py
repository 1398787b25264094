"""What has to hold of a run as a whole, whatever its events are."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

import msgspec
from msgspec.structs import replace

from seatrial.contracts.engine import EngineInfo, RunRecord
from seatrial.contracts.events import AccountAdjusted, OrderChange, OrderExecution, TradingStateChanged
from seatrial.contracts.terms import OrderSide
from seatrial.errors import SeatrialError
from seatrial.store.files import CheckpointFiles
from seatrial.testing.case import Property, Tampering
from seatrial.testing.compare import differences, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from seatrial.contracts.engine import Capability, Engine
    from seatrial.contracts.events import OrderEvent
    from seatrial.contracts.market import MarketEvent
    from seatrial.contracts.scenario import Scenario

__all__ = ["Adapter", "Runs", "holding", "part", "tampered"]

_ZERO = Decimal(0)
_FUTURE = 999


@runtime_checkable
class Adapter(Protocol):
    """An engine that adapts another one, and can also run that by itself."""

    def stock(self, scenario: Scenario) -> Iterable[OrderExecution]:
        """Run a scenario without delays and rules as if there were no seatrial; return what was executed, in order."""
        ...


class Runs:
    """Runs the scenarios of one case, each with a folder of its own where it asks for checkpoints."""

    def __init__(self, make_engine: Callable[[], Engine], claims: frozenset[Capability], folder: Path) -> None:
        """Run on an engine that `make_engine` builds; folders are made below `folder`."""
        self._make_engine = make_engine
        self.claims = claims
        self._folder = folder
        self._count = 0
        self.engine = make_engine()
        self.info: EngineInfo | None = None
        """What the engine said of itself, once it has run."""

    def run(self, scenario: Scenario, *, anew: bool = False, stop_after: int | None = None) -> RunRecord:
        """Run a scenario on the engine, or on one built `anew`; end it after so many rows where told to.

        :raises TypeError: when no record comes of it.
        """
        engine = self._make_engine() if anew else self.engine
        keeps = scenario.execution.checkpoint_every != "never" or stop_after is not None
        monitor = None if stop_after is None else _StopAfter(stop_after)
        self._count += 1
        directory = self._folder / str(self._count)
        if keeps:
            directory.mkdir(parents=True)
        record = engine.run(scenario, directory=str(directory) if keeps else None, monitor=monitor)
        returned = cast("object", record)  # engines may return anything
        engine_of: object = getattr(returned, "engine", None)
        if not isinstance(returned, RunRecord) or not isinstance(engine_of, EngineInfo):
            what = f"{type(returned).__name__} (engine: {engine_of!r})"
            message = f"run() returned a {what}; return a RunRecord whose engine is an EngineInfo"
            raise TypeError(message)
        self.info = record.engine
        return record


class _StopAfter:
    """Ends a run after so many rows."""

    def __init__(self, rows: int) -> None:
        self._rows = rows

    def row(self, event: MarketEvent, count: int) -> bool:  # noqa: ARG002 - a monitor's signature
        """Return whether to go on."""
        return count < self._rows


def part(record: RunRecord, name: str, strategy_id: str | None = None) -> object:
    """Return a named part of a record, of one strategy's orders alone where one is given."""
    if name == "account":
        return record.account
    if name == "orders":
        return sorted(record.orders, key=lambda order: order.order_id)
    events = told(record)
    if strategy_id is not None:
        own = {order.order_id for order in record.orders if order.strategy_id == strategy_id}
        events = [event for event in events if event.get("order_id") in own]
    return [event for event in events if event["event"] == "filled"] if name == "executions" else events


def holding(prop: Property, scenario: Scenario, record: RunRecord, runs: Runs) -> Iterator[str]:
    """Yield a line for each thing that a property does not find as it should be."""
    for problem in _CHECKS[prop](scenario, record, runs):
        yield f"{prop}: {problem}"


def tampered(kind: Tampering, scenario: Scenario, record: RunRecord, runs: Runs) -> Iterator[str]:
    """Yield a line where a run goes on from a checkpoint that nobody should believe."""
    if not record.checkpoints:
        yield "checkpoints: expected some, got none"
        return
    path = Path(record.checkpoints[-1])
    again = scenario
    if kind is Tampering.RESEEDED:
        again = replace(again, execution=replace(again.execution, seed=again.execution.seed + 1))
    elif kind is Tampering.GONE:
        path.unlink()
    elif kind is Tampering.NEWER:
        path = _newer(path)
    else:
        path.write_bytes(_torn(path.read_bytes()) if kind is Tampering.TORN else _changed(path.read_bytes()))
    again = replace(again, resume_from=str(path))
    try:
        runs.run(again, anew=True)
    except SeatrialError:
        return
    except Exception as error:  # noqa: BLE001 - whatever an engine raises is its answer
        yield f"{kind} checkpoint: expected a SeatrialError, got {type(error).__name__}: {error}"
        return
    yield f"{kind} checkpoint: expected a SeatrialError, got a run that goes on"


def _torn(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _changed(content: bytes) -> bytes:
    """Make the last 9 an 8, or the last 1 a 2: one digit of a time, an amount or a price."""
    at = max(content.rfind(b"9"), content.rfind(b"1"))
    return content[:at] + (b"8" if content[at : at + 1] == b"9" else b"2") + content[at + 1 :]


def _newer(path: Path) -> Path:
    """Write the same checkpoint, whole and with a checksum that holds, in the format of a future version."""
    header, body = CheckpointFiles(path.parent.parent).read(path)
    future = CheckpointFiles(path.parent.parent.parent / "newer", formats=_FUTURE)
    return future.write(header.simulator_id, header.timestamp, _FUTURE, [body])


def _ledger(scenario: Scenario, record: RunRecord, runs: Runs) -> Iterator[str]:  # noqa: ARG001 - as its siblings
    cash = scenario.execution.initial_cash
    multipliers = {instrument.symbol: instrument.multiplier for instrument in scenario.instruments}
    orders = {order.order_id: order for order in record.orders}
    positions: dict[str, Decimal] = {}
    for event in record.events:
        if isinstance(event, OrderExecution):
            order = orders[event.order_id]
            quantity = event.quantity if order.side is OrderSide.BUY else -event.quantity
            cash -= quantity * event.price * multipliers.get(order.symbol, 1) + event.commission
            positions[order.symbol] = positions.get(order.symbol, _ZERO) + quantity
        elif isinstance(event, AccountAdjusted):
            cash += event.cash
    held = {symbol: str(quantity) for symbol, quantity in positions.items() if quantity}
    got = msgspec.to_builtins(record.account)
    yield from differences("account", {"cash": str(cash), "positions": held}, got)


def _replay(scenario: Scenario, record: RunRecord, runs: Runs) -> Iterator[str]:  # noqa: ARG001 - as its siblings
    own: dict[str, list[OrderEvent]] = {}
    for event in record.events:
        if not isinstance(event, AccountAdjusted | TradingStateChanged):
            own.setdefault(event.order_id, []).append(event)
    for order in record.orders:
        events = own.pop(order.order_id, [])
        if list(order.events) != events:
            yield f"order {order.order_id}: expected the log's {len(events)} events, got {len(order.events)} others"
            continue
        again = order.amended(OrderChange(quantity=order.quantity))
        try:
            for event in events:
                again = again.apply(event)
        except SeatrialError as error:
            yield f"order {order.order_id}: expected events that an order can take, got {error}"
            continue
        if again != order:
            fields = [name for name in order.__struct_fields__ if getattr(again, name) != getattr(order, name)]
            yield f"order {order.order_id}: expected what its events make of it, got another {', '.join(fields)}"
    if own:
        yield f"orders: expected all that the log names, got none for {', '.join(own)}"


def _clock(scenario: Scenario, record: RunRecord, runs: Runs) -> Iterator[str]:  # noqa: ARG001 - as its siblings
    for index, event in enumerate(record.events):
        if event.reported_at < event.timestamp:
            yield f"events[{index}]: expected to be known from {event.timestamp} on, got {event.reported_at}"
    for index, (before, after) in enumerate(pairwise(record.events)):
        if after.reported_at < before.reported_at:
            yield f"events[{index + 1}]: expected after {before.reported_at}, got {after.reported_at}"
    ids = [event.execution_id for event in record.events if isinstance(event, OrderExecution)]
    for twice in sorted({one for one in ids if ids.count(one) > 1}):
        yield f"execution {twice}: expected once, got {ids.count(twice)} times"


def _exact(scenario: Scenario, record: RunRecord, runs: Runs) -> Iterator[str]:  # noqa: ARG001 - as its siblings
    for place in _floats("record", msgspec.to_builtins(replace(record, scenario=scenario))):
        yield f"{place}: expected a Decimal, got a float"
    if msgspec.json.decode(msgspec.json.encode(record), type=RunRecord) != record:
        yield "record: expected to come back from JSON as it was, got another one"


def _floats(where: str, value: object) -> Iterator[str]:
    if isinstance(value, float):
        yield where
    elif isinstance(value, dict):
        for key, inner in cast("dict[str, object]", value).items():
            yield from _floats(f"{where}.{key}", inner)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(cast("list[object]", value)):
            yield from _floats(f"{where}[{index}]", inner)


def _repeatable(scenario: Scenario, record: RunRecord, runs: Runs) -> Iterator[str]:
    first = msgspec.json.encode(record)
    for anew, engine in ((False, "the same engine"), (True, "a new engine")):
        if msgspec.json.encode(runs.run(scenario, anew=anew)) != first:
            yield f"{engine}: expected the same record, to the byte, got another one"


def _resumable(scenario: Scenario, record: RunRecord, runs: Runs) -> Iterator[str]:
    if not record.checkpoints:
        yield "checkpoints: expected some, got none"
    for path in record.checkpoints:
        yield from _goes_on(Path(path).name, replace(scenario, resume_from=path), record, runs)


def _interruptible(scenario: Scenario, record: RunRecord, runs: Runs) -> Iterator[str]:
    for rows in range(1, record.rows):
        cut = runs.run(scenario, stop_after=rows)
        if not cut.checkpoints or cut.stopped is None:
            yield f"stopped after row {rows}: expected a checkpoint and a reason, got none"
            continue
        again = replace(scenario, resume_from=cut.checkpoints[-1])
        yield from _goes_on(f"stopped after row {rows}", again, record, runs)


def _goes_on(where: str, again: Scenario, record: RunRecord, runs: Runs) -> Iterator[str]:
    """Compare a resumed run, which takes no checkpoints of its own, with the one that never stopped."""
    again = replace(again, execution=replace(again.execution, checkpoint_every="never"))
    try:
        resumed = runs.run(again, anew=True)
    except SeatrialError as error:
        yield f"{where}: expected to go on, got {type(error).__name__}: {error}"
        return
    for name in ("events", "orders", "account"):
        if part(resumed, name) != part(record, name):
            yield f"{where}: expected the {name} of the run that never stopped, got others"


def _stock(scenario: Scenario, record: RunRecord, runs: Runs) -> Iterator[str]:
    names = ("order_id", "timestamp", "quantity", "price", "commission")
    engine = runs.engine
    beneath = [_named(one, names) for one in engine.stock(scenario)] if isinstance(engine, Adapter) else []
    through = [_named(event, names) for event in record.events if isinstance(event, OrderExecution)]
    for index, (expected, got) in enumerate(zip(beneath, through, strict=False)):
        yield from differences(f"executions[{index}]", expected, got)
    if len(beneath) != len(through):
        yield f"executions: expected {len(beneath)}, as the engine beneath has, got {len(through)}"


def _named(execution: OrderExecution, names: tuple[str, ...]) -> dict[str, object]:
    told: dict[str, object] = msgspec.to_builtins(execution)
    return {name: told[name] for name in names}


def _claims(scenario: Scenario, record: RunRecord, runs: Runs) -> Iterator[str]:  # noqa: ARG001 - as its siblings
    if not record.engine.name or not record.engine.version:
        yield "engine: expected a name and a version, got none"
    for extra in sorted(frozenset(record.engine.capabilities) ^ runs.claims):
        yield f"{extra}: expected in the record if and only if it is claimed"


_CHECKS = {
    Property.LEDGER: _ledger,
    Property.REPLAY: _replay,
    Property.CLOCK: _clock,
    Property.EXACT: _exact,
    Property.REPEATABLE: _repeatable,
    Property.RESUMABLE: _resumable,
    Property.INTERRUPTIBLE: _interruptible,
    Property.STOCK: _stock,
    Property.CLAIMS: _claims,
}
