"""What others got wrong about checkpoints and restarts: see `what_others_got_wrong.md`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, cast

import pytest
from msgspec.structs import replace

from seatrial import (
    LATENCY_FAST,
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    LATENCY_SLOW,
    CheckpointManager,
    ExecutionCheckpoint,
    ExecutionSimulator,
    LatencyConfig,
    Lognormal,
    Order,
    OrderExecution,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    TimeInForce,
    Uniform,
)
from seatrial.contracts.events import OrderAccepted, OrderExpired, encode_events
from seatrial.errors import ClockError, InvalidConfigError
from seatrial.gate.queue import NEVER
from seatrial.store.codec import Encoder
from seatrial.store.files import LATEST, CheckpointFiles

D = Decimal
T0 = 1_700_000_000_000_000_000
MS = 1_000_000
STATUS = OrderStatus
ID = "paper"
CUSTOM = LatencyConfig(
    submit=Uniform(41 * MS, 59 * MS), ack=Uniform(MS, 3 * MS), fill=Lognormal(90 * MS, 0.3), cancel=Uniform(30, 40 * MS)
)

Make = Callable[[Path], CheckpointManager]


class Case(NamedTuple):
    clause: str
    check: Callable[[Make, Path], None]
    twin: Make


def new_order(order_id: str, kind: OrderType = OrderType.MARKET, **fields: Any) -> Order:
    """Return a buy of 10 ACME, unless told otherwise."""
    given: dict[str, Any] = {"symbol": "ACME", "side": OrderSide.BUY, "quantity": D(10), "created_at": T0, **fields}
    return Order(order_id=order_id, order_type=kind, **given)


def new_session(latency: LatencyConfig = CUSTOM) -> ExecutionSimulator:
    """Return a simulator at T0, with a quote of 99 to 100."""
    simulator = ExecutionSimulator(initial_cash=10_000, latency_config=latency, simulator_id=ID, seed=7)
    simulator.process_quote(Quote(T0, "ACME", D(99), D(100)))
    return simulator


def resting(order_id: str, limit: int = 90, **fields: Any) -> Order:
    """Return a buy limit."""
    return new_order(order_id, OrderType.LIMIT, limit_price=D(limit), **fields)


def restarted(make: Make, directory: Path, simulator: ExecutionSimulator) -> ExecutionSimulator:
    """Save a session, and return what the next one makes of it."""
    with make(directory) as manager:
        manager.save_checkpoint(manager.create_checkpoint(simulator))
        return manager.restore_simulator(manager.load_checkpoint(ID))


def log(simulator: ExecutionSimulator) -> bytes:
    """Return the event log."""
    return encode_events(list(simulator.events))


# -- W16 ---------------------------------------------------------------------------------------------------------------


def check_flight_goes_on(make: Make, directory: Path) -> None:
    """A submit, a modify, a cancel and a fill's report under way at a restart arrive, each when it would have."""
    simulator = new_session()
    simulator.submit_order(new_order("matched"), T0)
    simulator.submit_order(resting("changed"), T0)
    simulator.submit_order(resting("cancelled"), T0)
    simulator.advance(T0 + 70 * MS)
    simulator.modify_order("changed", T0 + 70 * MS, limit_price=D(91))
    simulator.cancel_order("cancelled", T0 + 70 * MS)
    simulator.submit_order(new_order("sent"), T0 + 70 * MS)
    assert not any(isinstance(event, OrderExecution) for event in simulator.events)

    restored = restarted(make, directory, simulator)
    for session in (simulator, restored):
        session.advance(T0 + 5_000 * MS)

    ends = {name: restored.get_order(name).status for name in ("matched", "changed", "cancelled", "sent")}
    assert ends == {
        "matched": STATUS.FILLED, "changed": STATUS.SUBMITTED, "cancelled": STATUS.CANCELLED, "sent": STATUS.FILLED
    }  # fmt: skip
    assert restored.get_order("changed").limit_price == D(91)
    assert log(restored) == log(simulator)


class EmptiesTheWire(CheckpointManager):
    """Brings back the orders, and nothing that was said of them on the way."""

    def restore_simulator(self, checkpoint: ExecutionCheckpoint, **given: Any) -> ExecutionSimulator:
        simulator = super().restore_simulator(checkpoint, **given)
        wire = simulator.gate.wire
        wire.requests.messages.clear()
        wire.reports.messages.clear()
        wire.requests.head = wire.reports.head = NEVER
        return simulator


# -- W17 ---------------------------------------------------------------------------------------------------------------


def check_clock_goes_on(make: Make, directory: Path) -> None:
    """Time stands where it stood: what lies before it is refused, and what ends by itself ends when it would have."""
    simulator = new_session()
    simulator.submit_order(resting("O-1", time_in_force=TimeInForce.GTD, expire_at=T0 + 500 * MS), T0)
    simulator.advance(T0 + 100 * MS)

    restored = restarted(make, directory, simulator)
    assert restored.now == T0 + 100 * MS
    refused = False
    try:
        restored.submit_order(new_order("O-2"), T0 + 99 * MS)
    except ClockError:
        refused = True
    restored.advance(T0 + 5_000 * MS)

    assert refused
    assert list(restored.completed_orders) == ["O-1"]
    expired = restored.get_order("O-1").events[-1]
    assert isinstance(expired, OrderExpired)
    assert expired.timestamp == T0 + 500 * MS


class BeginsAtZero(CheckpointManager):
    """Lets the first call after a restart say what time it is."""

    def restore_simulator(self, checkpoint: ExecutionCheckpoint, **given: Any) -> ExecutionSimulator:
        simulator = super().restore_simulator(checkpoint, **given)
        simulator.gate.now = 0
        return simulator


# -- W18 ---------------------------------------------------------------------------------------------------------------


class Stepwise:
    """A distribution of a user's own: 10 ms or 20 ms."""

    def sample(self, bits: int) -> int:
        return 10 * MS * (1 + bits % 2)


class Doubled(Uniform, frozen=True):
    """Another, which has the fields of one of ours, and its own ways."""

    def sample(self, bits: int) -> int:
        return 2 * super().sample(bits)


OWN = (LatencyConfig(submit=cast("Uniform", Stepwise())), LatencyConfig(submit=Doubled(MS, 9 * MS)))


def check_latency_is_kept(make: Make, directory: Path) -> None:
    """Delays of one's own go on as they were; those that no file can hold are asked for, never left out."""
    simulator = new_session()
    restored = restarted(make, directory, simulator)
    for session in (simulator, restored):
        session.submit_order(new_order("O-1"), T0 + 1_000 * MS)
        session.advance(T0 + 5_000 * MS)

    assert restored.latency_config == CUSTOM
    (accepted,) = [event for event in restored.events if isinstance(event, OrderAccepted)]
    assert 1_041 * MS <= accepted.timestamp - T0 <= 1_059 * MS
    assert log(restored) == log(simulator)

    for own in OWN:
        refused = False
        try:
            restarted(make, directory, new_session(own))
        except InvalidConfigError as error:
            refused = error.setting == "latency_config"
        assert refused
        with make(directory) as manager:
            again = manager.restore_simulator(manager.load_checkpoint(ID), latency_config=own)
        assert again.latency_config is own


class KnowsProfiles(CheckpointManager):
    """Finds latency by the name of its profile, and none under any other."""

    def restore_simulator(self, checkpoint: ExecutionCheckpoint, **given: Any) -> ExecutionSimulator:
        if checkpoint.config.latency not in {LATENCY_FAST, LATENCY_NORMAL, LATENCY_SLOW}:
            checkpoint = replace(checkpoint, config=replace(checkpoint.config, latency=LATENCY_INSTANT))
        return super().restore_simulator(checkpoint, **given)


# -- W19 ---------------------------------------------------------------------------------------------------------------


class Diary:
    """A strategy that hands out its very own list as its state."""

    def __init__(self) -> None:
        self.lines: list[str] = ["monday"]

    def save_state(self) -> list[str]:
        return self.lines


def check_checkpoint_is_frozen(make: Make, directory: Path) -> None:
    """Whatever the session, its strategy or a restored session does afterwards, a checkpoint stays as it was."""
    simulator, diary = new_session(), Diary()
    simulator.submit_order(resting("filled"), T0)
    simulator.submit_order(resting("cancelled"), T0)
    manager = make(directory)
    checkpoint = manager.create_checkpoint(simulator, diary)
    before = b"".join(Encoder().encode(checkpoint))
    restored = manager.restore_simulator(checkpoint)

    diary.lines.append("tuesday")
    cast("list[str]", checkpoint.strategy_state).append("wednesday")
    for session in (simulator, restored):
        session.cancel_order("cancelled", T0 + 500 * MS)
        session.submit_order(new_order("later"), T0 + 500 * MS)
        session.process_quote(Quote(T0 + 900 * MS, "ACME", D(88), D(89)))
        session.advance(T0 + 5_000 * MS)
        assert not session.pending_orders

        assert b"".join(Encoder().encode(checkpoint)) == before
    assert [order.order_id for order in checkpoint.pending] == ["filled", "cancelled"]
    assert not checkpoint.completed
    assert checkpoint.strategy_state == ["monday"]


class HandsOutItsBooks(CheckpointManager):
    """Puts the session's own books into the frozen frame."""

    def create_checkpoint(self, simulator: ExecutionSimulator, strategy: object = None) -> ExecutionCheckpoint:
        books: Any = simulator.gate.client
        checkpoint = super().create_checkpoint(simulator, strategy)
        return replace(
            checkpoint, pending=books.pending.values(), completed=books.completed.values(), events=books.events
        )


# -- W20 ---------------------------------------------------------------------------------------------------------------


class Died(Exception):
    """The process ends here."""


@contextmanager
def dying_after(monkeypatch: pytest.MonkeyPatch, left: int) -> Iterator[None]:
    """Let the process die once it has written so many bytes."""
    real = os.write

    def write(fd: int, data: Any) -> int:
        nonlocal left
        written = real(fd, data[:left])
        left -= written
        if written < len(data):
            raise Died
        return written

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", write)
        yield


def torn(directory: Path) -> list[str]:
    """Return the names of the files that are no whole JSON value."""
    found: list[str] = []
    for path in sorted(directory.rglob("*.json")):
        try:
            json.loads(path.read_bytes())
        except ValueError:
            found.append(path.name)
    return found


def check_no_file_is_half_written(make: Make, directory: Path) -> None:
    """A process that dies at any moment of a save leaves whole files, and the newest is the old or the new one."""
    simulator = new_session()
    times = [simulator.now]
    with make(directory) as manager:
        size = manager.save_checkpoint(manager.create_checkpoint(simulator)).stat().st_size
    for left in count(0, size // 5):
        simulator.advance(simulator.now + MS)
        times.append(simulator.now)
        ended = True
        with make(directory) as manager, pytest.MonkeyPatch.context() as monkeypatch:
            try:
                with dying_after(monkeypatch, left):
                    manager.save_checkpoint(manager.create_checkpoint(simulator))
            except Died:
                ended = False

        assert torn(directory) == []
        assert CheckpointManager(directory).load_checkpoint(ID).timestamp == times[-1 if ended else 0]
        if ended:
            break
    assert len(times) > 5


class WritesInPlace(CheckpointManager):
    """Writes the newest checkpoint over the one before it."""

    def save_checkpoint(self, checkpoint: ExecutionCheckpoint) -> Path:
        path = super().save_checkpoint(checkpoint)
        content = path.read_bytes()
        fd = os.open(path.with_name(LATEST), os.O_WRONLY | os.O_TRUNC)
        try:
            os.write(fd, content)
        finally:
            os.close(fd)
        return path


# -- W21 ---------------------------------------------------------------------------------------------------------------

BAD_IDS = ("../elsewhere", "..", ".", "", "a/b", "/elsewhere", "a\\b", "..\\a", "C:a", "~", ".hidden", "a\0b", "a\n")


def check_ids_stay_inside(make: Make, directory: Path) -> None:
    """An id that is no plain file name is refused wherever one can be given, and nothing comes to lie anywhere."""
    checkpoint = new_session().snapshot()
    with make(directory / "checkpoints") as manager:
        for bad in BAD_IDS:
            calls: tuple[Callable[[], object], ...] = (
                lambda bad=bad: manager.save_checkpoint(replace(checkpoint, simulator_id=bad)),  # type: ignore[misc]
                lambda bad=bad: manager.load_checkpoint(bad),  # type: ignore[misc]
                lambda bad=bad: manager.list_checkpoints(bad),  # type: ignore[misc]
                lambda bad=bad: ExecutionSimulator(initial_cash=1, simulator_id=bad),  # type: ignore[misc]
            )
            for call in calls:
                refused = False
                try:
                    call()
                except InvalidConfigError as error:
                    refused = error.setting == "simulator_id"
                assert refused, bad
    assert list(directory.rglob("*")) == []


class AnyPath(CheckpointFiles):
    def _directory(self, simulator_id: object) -> Path:
        return self.root / str(simulator_id)


class WalksOut(CheckpointManager):
    """Takes an id for a path."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._files = AnyPath(directory)


# -- W22 ---------------------------------------------------------------------------------------------------------------


def check_only_news_are_encoded(make: Make, directory: Path) -> None:
    """A save encodes the orders and events since the last one, and the file is complete all the same."""
    simulator = new_session(LATENCY_FAST)
    news: list[int] = []
    work: list[int] = []
    with make(directory) as manager:
        for n in range(60):
            earlier = manager._encoders.get(ID)
            before = earlier.encoded if earlier is not None else 0
            happened = len(simulator.events)
            simulator.submit_order(resting(f"O-{n}", limit=100 if n % 3 else 90, quantity=D(1)), simulator.now)
            simulator.advance(simulator.now + (150 * MS if n % 2 else 0))
            manager.save_checkpoint(manager.create_checkpoint(simulator))
            encoder = manager._encoders[ID]
            news.append(len(simulator.events) - happened + 1)
            work.append(encoder.encoded - (before if encoder is earlier else 0))
        loaded = manager.load_checkpoint(ID)

    assert work == news
    assert encode_events(loaded.events) == log(simulator)
    assert {order.order_id: order for order in loaded.pending} == simulator.pending_orders
    assert {order.order_id: order for order in loaded.completed} == simulator.completed_orders


class EncodesAnew(CheckpointManager):
    """Forgets what it has encoded."""

    def save_checkpoint(self, checkpoint: ExecutionCheckpoint) -> Path:
        self._encoders.clear()
        return super().save_checkpoint(checkpoint)


# -- W29 ---------------------------------------------------------------------------------------------------------------


class Swinging:
    """A strategy that buys on every third quote and sells on every fifth, and numbers its orders."""

    def __init__(self) -> None:
        self.seen = self.sent = 0

    def on_quote(self, simulator: ExecutionSimulator, quote: Quote) -> None:
        simulator.process_quote(quote)
        self.seen += 1
        for every, side, limit in ((3, OrderSide.BUY, quote.bid), (5, OrderSide.SELL, quote.ask)):
            if self.seen % every == 0:
                self.sent += 1
                terms = {"side": side, "limit_price": limit, "quantity": D(2)}
                simulator.submit_order(new_order(f"S-{self.sent}", OrderType.LIMIT, **terms), quote.ts)

    def save_state(self) -> list[int]:
        return [self.seen, self.sent]

    def load_state(self, value: Any) -> None:
        self.seen, self.sent = value


def check_paper_trading_goes_on(make: Make, directory: Path) -> None:
    """A session that restarts every seventh quote knows at its end what one knows that never stopped, to the byte."""
    tape = [Quote(T0 + n * 20 * MS, "ACME", D(99) + n % 4, D(100) + n % 4) for n in range(1, 71)]
    (whole, swinging), (parted, parts) = [(new_session(), Swinging()) for _ in range(2)]

    for n, quote in enumerate(tape, start=1):
        swinging.on_quote(whole, quote)
        parts.on_quote(parted, quote)
        if n % 7 == 0:
            with make(directory) as manager:
                manager.save_checkpoint(manager.create_checkpoint(parted, parts))
            with make(directory) as manager:
                checkpoint = manager.load_checkpoint(ID)
                parted, parts = manager.restore_simulator(checkpoint), Swinging()
                parts.load_state(checkpoint.strategy_state)

    assert len(parted.completed_orders) > 10
    assert parted.cash == whole.cash != D(10_000)
    assert parted.positions == whole.positions != {}
    assert parted.pending_orders == whole.pending_orders != {}
    assert log(parted) == log(whole)


class OpensAnew(CheckpointManager):
    """Opens an account like the first one, in which nothing has happened yet."""

    def restore_simulator(self, checkpoint: ExecutionCheckpoint, **given: Any) -> ExecutionSimulator:
        config = checkpoint.config
        assert config.latency is not None
        return ExecutionSimulator(
            initial_cash=config.initial_cash,
            latency_config=config.latency,
            simulator_id=config.simulator_id,
            seed=config.seed,
        )


# -- W32 ---------------------------------------------------------------------------------------------------------------

NEXT_START = """
import sys
from seatrial import CheckpointManager

directory, simulator_id, until = sys.argv[1:]
with CheckpointManager(directory) as manager:
    simulator = manager.restore_simulator(manager.load_checkpoint(simulator_id))
    print(simulator.now, simulator.cash, *simulator.positions.items(), *simulator.pending_orders)
    simulator.advance(int(until))
    manager.save_checkpoint(manager.create_checkpoint(simulator))
"""


def check_next_start_finds_it(make: Make, directory: Path) -> None:
    """Another process finds the session by its id, goes on with it, and leaves it for the one after."""
    simulator = new_session()
    simulator.submit_order(new_order("held"), T0)
    simulator.advance(T0 + 2_000 * MS)
    simulator.submit_order(resting("sent"), T0 + 2_000 * MS)
    with make(directory) as manager:
        manager.save_checkpoint(manager.create_checkpoint(simulator))

    started = subprocess.run(
        [sys.executable, "-I", "-c", NEXT_START, directory, ID, str(T0 + 5_000 * MS)],
        check=False,
        capture_output=True,
        text=True,
    )

    assert started.stdout == f"{T0 + 2_000 * MS} 9000 ('ACME', Decimal('10')) sent\n"
    assert started.stderr == ""
    with make(directory) as manager:
        assert len(manager.list_checkpoints(ID)) == 2
        assert manager.load_checkpoint(ID).pending[0].status is STATUS.SUBMITTED


class KeepsItInMind(CheckpointManager):
    """Has all checkpoints, for as long as it lives."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.kept: dict[str, ExecutionCheckpoint] = {}

    def save_checkpoint(self, checkpoint: ExecutionCheckpoint) -> Path:
        self.kept[checkpoint.simulator_id] = checkpoint
        return Path(checkpoint.simulator_id)

    def load_checkpoint(self, simulator: str | Path) -> ExecutionCheckpoint:
        return self.kept[str(simulator)]


CASES = (
    Case("W16", check_flight_goes_on, EmptiesTheWire),
    Case("W17", check_clock_goes_on, BeginsAtZero),
    Case("W18", check_latency_is_kept, KnowsProfiles),
    Case("W19", check_checkpoint_is_frozen, HandsOutItsBooks),
    Case("W20", check_no_file_is_half_written, WritesInPlace),
    Case("W21", check_ids_stay_inside, WalksOut),
    Case("W22", check_only_news_are_encoded, EncodesAnew),
    Case("W29", check_paper_trading_goes_on, OpensAnew),
    Case("W32", check_next_start_finds_it, KeepsItInMind),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.clause)
def test_manager_does_it_right(case: Case, tmp_path: Path) -> None:
    """The checkpoint manager passes the clause's check."""
    case.check(CheckpointManager, tmp_path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.clause)
def test_check_catches_the_fault(case: Case, tmp_path: Path) -> None:
    """A checkpoint manager with exactly this fault does not pass."""
    with pytest.raises(AssertionError) as caught:
        case.check(case.twin, tmp_path)
    assert caught.traceback[-1].name == case.check.__name__  # the check's own words, no accident on the way
