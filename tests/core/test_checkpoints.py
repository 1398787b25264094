"""Checkpoints by example: taken, saved, listed, loaded and restored; several simulators apart; frozen for good."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from seatrial import (
    LATENCY_INSTANT,
    LATENCY_NORMAL,
    CheckpointManager,
    Constant,
    ExecutionCheckpoint,
    ExecutionSimulator,
    LatencyConfig,
    Order,
    OrderSide,
    OrderStatus,
    OrderType,
    Quote,
    RiskConfig,
    TradingState,
    Uniform,
)
from seatrial.contracts.checkpoint import AccountSummary
from seatrial.contracts.events import OrderSubmitted, encode_events
from seatrial.errors import CheckpointLockedError, CheckpointWarning
from seatrial.store.codec import Encoder, decode

if TYPE_CHECKING:
    from seatrial.contracts.events import Event

MS = 1_000_000
T0 = 1_700_000_000_000_000_000
TEN = Decimal(10)


def opened(simulator_id: str = "paper-001", **settings: Any) -> ExecutionSimulator:
    """Return a simulator that has seen one quote."""
    given: dict[str, Any] = {"initial_cash": 100_000, "latency_config": LATENCY_NORMAL, "simulator_id": simulator_id}
    simulator = ExecutionSimulator(**(given | settings))
    simulator.process_quote(Quote(T0, "IBM", TEN, TEN))
    return simulator


def buy(simulator: ExecutionSimulator, order_id: str, quantity: int = 1) -> Order:
    """Send a market order at the time reached."""
    now = simulator.now
    order = Order(
        order_id=order_id,
        symbol="IBM",
        side=OrderSide.BUY,
        order_type=OrderType.MARKET,
        quantity=quantity,
        created_at=now,
    )
    return simulator.submit_order(order, now)


def log(simulator: ExecutionSimulator) -> bytes:
    """Return the event log."""
    return encode_events(list(simulator.events))


def encoded(checkpoint: ExecutionCheckpoint) -> bytes:
    """Return a checkpoint's body, encoded anew."""
    return b"".join(Encoder().encode(checkpoint))


class Notes:
    """A strategy, a rule and an observer in one: its state is a dict that goes on changing."""

    def __init__(self) -> None:
        self.notes: dict[str, list[int]] = {"times": []}

    def check(self, order: Order, account: object, now: int) -> None:
        self.notes["times"].append(now)

    def notify(self, event: Event, order: Order | None) -> None:
        self.notes["times"].append(event.timestamp)

    def save_state(self) -> dict[str, list[int]]:
        return self.notes

    def load_state(self, value: dict[str, list[int]]) -> None:
        self.notes = value


# -- from a simulator to a file and back -------------------------------------------------------------------------------


def test_session_goes_on_from_what_was_saved(tmp_path: Path) -> None:
    """An order in flight when the checkpoint was taken is filled and told in the restored session as in the first."""
    simulator = opened()
    buy(simulator, "a", 7)
    with CheckpointManager(tmp_path) as manager:
        path = manager.save_checkpoint(manager.create_checkpoint(simulator))
        restored = manager.restore_simulator(manager.load_checkpoint("paper-001"))

    told = [one.advance(T0 + 500 * MS) for one in (simulator, restored)]

    assert path.parent == tmp_path / "paper-001"
    assert restored is not simulator
    assert told[0] == told[1]
    assert [execution.quantity for execution in told[1]] == [7]
    assert restored.get_order("a").status is OrderStatus.FILLED
    assert (restored.now, restored.cash, restored.positions) == (T0 + 500 * MS, Decimal(99_930), {"IBM": Decimal(7)})
    assert log(restored) == log(simulator)


def test_checkpoint_of_a_restored_session_is_that_of_the_first() -> None:
    """An exit that travelled with its entry has drawn no delay of its own; its fill, still to be told, counts alike."""
    simulator = opened(latency_config=LatencyConfig(submit=Uniform(MS, 9 * MS), fill=Constant(50 * MS)))
    exit_order = Order(
        order_id="exit",
        symbol="IBM",
        side=OrderSide.SELL,
        order_type=OrderType.LIMIT,
        quantity=7,
        created_at=T0,
        limit_price=Decimal(12),
    )
    entry = msgspec.structs.replace(exit_order, order_id="entry", side=OrderSide.BUY)
    simulator.submit_bracket(entry, exit_order, timestamp=T0)
    simulator.advance(T0 + 100 * MS)
    restored = ExecutionSimulator.from_checkpoint(simulator.snapshot())

    for one in (simulator, restored):
        one.process_quote(Quote(T0 + 200 * MS, "IBM", Decimal(12), Decimal(12)))

    assert (simulator.positions, list(simulator.pending_orders)) == ({"IBM": Decimal(7)}, ["exit"])
    assert encoded(restored.snapshot()) == encoded(simulator.snapshot())


def test_checkpoint_tells_what_it_is() -> None:
    """Id, time, account and orders can be read from it; what the strategy wanted kept comes back each time anew."""
    simulator = opened(risk_config=RiskConfig())
    buy(simulator, "a", 7)
    simulator.advance(T0 + 500 * MS)
    buy(simulator, "b")
    simulator.restrict_trading("ops", "slowly")
    notes = Notes()
    notes.notes["times"].append(5)

    checkpoint = CheckpointManager("never-written").create_checkpoint(simulator, notes)

    assert (checkpoint.simulator_id, checkpoint.timestamp) == ("paper-001", T0 + 500 * MS)
    assert [order.order_id for order in checkpoint.pending] == ["b"]
    assert [order.order_id for order in checkpoint.completed] == ["a"]
    assert checkpoint.account == AccountSummary(
        initial_cash=Decimal(100_000),
        cash=Decimal(99_930),
        equity=Decimal(100_000),
        positions={"IBM": Decimal(7)},
        trading_state=TradingState.REDUCE_ONLY,
    )
    assert checkpoint.strategy_state == {"times": [5]}
    assert checkpoint.strategy_state is not checkpoint.strategy_state
    assert not Path("never-written").exists()


def test_without_a_strategy_there_is_no_state_of_one() -> None:
    """The state is None, in memory and in the file's terms."""
    checkpoint = opened().snapshot()

    assert checkpoint.strategy_state is None
    assert decode("x", "paper-001", encoded(checkpoint)).strategy_state is None


def test_settings_come_back_as_they_were(tmp_path: Path) -> None:
    """Id, seed, cash, latency, venue and risk settings are those of the session, from the file alone."""
    simulator = opened(seed=77, slippage_bps=5, commission_per_share=Decimal("0.01"), risk_config=RiskConfig())
    with CheckpointManager(tmp_path) as manager:
        manager.save_checkpoint(manager.create_checkpoint(simulator))

        restored = manager.restore_simulator(manager.load_checkpoint("paper-001"))

    names = ("simulator_id", "seed", "initial_cash", "latency_config", "venue_config", "risk_config")
    assert [getattr(restored, name) for name in names] == [getattr(simulator, name) for name in names]


def test_older_checkpoint_is_loaded_by_its_path(tmp_path: Path) -> None:
    """The id gives the newest one, a path the one in that file."""
    simulator = opened()
    with CheckpointManager(tmp_path) as manager:
        first = manager.save_checkpoint(manager.create_checkpoint(simulator))
        buy(simulator, "a")
        second = manager.save_checkpoint(manager.create_checkpoint(simulator))

        found = [manager.load_checkpoint(one) for one in ("paper-001", second, first)]

    assert [len(checkpoint.pending) for checkpoint in found] == [1, 1, 0]
    assert [len(checkpoint.events) for checkpoint in found] == [1, 1, 0]


def test_torn_newest_file_is_passed_over_with_a_warning(tmp_path: Path) -> None:
    """The one before it is used, and both are named."""
    simulator = opened()
    with CheckpointManager(tmp_path) as manager:
        good = manager.save_checkpoint(manager.create_checkpoint(simulator))
        buy(simulator, "a")
        torn = manager.save_checkpoint(manager.create_checkpoint(simulator))
        with torn.open("r+b") as file:
            file.truncate(200)

        with pytest.warns(CheckpointWarning) as warned:
            checkpoint = manager.load_checkpoint("paper-001")

    assert checkpoint.pending == ()
    assert good.name in str(warned[0].message)
    assert torn.name in str(warned[0].message)


# -- several of them ---------------------------------------------------------------------------------------------------


def test_simulators_in_one_process_and_directory_stay_apart(tmp_path: Path) -> None:
    """Three sessions, saved in turn by one manager, each come back as what they were."""
    simulators = [opened(name, seed=n, initial_cash=1_000 * (n + 1)) for n, name in enumerate(("a", "b", "c"))]
    with CheckpointManager(tmp_path) as manager:
        for n in range(4):
            for simulator in simulators:
                buy(simulator, f"{simulator.simulator_id}-{n}")
                simulator.advance(simulator.now + (70 + simulator.seed) * MS)
                manager.save_checkpoint(manager.create_checkpoint(simulator))

        restored = [manager.restore_simulator(manager.load_checkpoint(one.simulator_id)) for one in simulators]
        for one in (*simulators, *restored):
            one.advance(T0 + 5_000 * MS)

    assert [log(one) for one in restored] == [log(one) for one in simulators]
    assert [one.cash for one in restored] == [one.cash for one in simulators]
    assert len({log(one) for one in restored}) == 3


def test_sessions_of_one_id_in_one_manager_do_not_mix(tmp_path: Path) -> None:
    """What was encoded for one session is no part of another's file, though both bear one id."""
    one, other = opened(), opened()
    buy(one, "a")
    buy(one, "b")
    buy(other, "z")
    with CheckpointManager(tmp_path) as manager:
        paths = [manager.save_checkpoint(manager.create_checkpoint(session)) for session in (one, other, one)]

        found = [manager.load_checkpoint(path) for path in paths]

    assert [[order.order_id for order in checkpoint.pending] for checkpoint in found] == [["a", "b"], ["z"], ["a", "b"]]


def test_list_has_the_newest_first(tmp_path: Path) -> None:
    """Of one simulator by sequence, of all by simulated time; of an unknown one, nothing."""
    early, late = opened("early"), opened("late")
    late.advance(T0 + 9 * MS)
    with CheckpointManager(tmp_path) as manager:
        for simulator in (late, early, early):
            manager.save_checkpoint(manager.create_checkpoint(simulator))

        found = [manager.list_checkpoints(name) for name in ("early", "late", None, "nobody")]

    told = [[(entry.simulator_id, entry.sequence, entry.timestamp) for entry in entries] for entries in found]
    both = [("early", 2, T0), ("early", 1, T0)]
    assert told == [both, [("late", 1, T0 + 9 * MS)], [("late", 1, T0 + 9 * MS), *both], []]
    assert all(entry.path.exists() for entries in found for entry in entries)


def test_one_manager_writes_at_a_time_until_it_is_closed(tmp_path: Path) -> None:
    """A second manager may read, and write once the first has been closed or left its `with` block."""
    checkpoint = opened().snapshot()
    with CheckpointManager(tmp_path) as first:
        first.save_checkpoint(checkpoint)
        second = CheckpointManager(tmp_path)
        with pytest.raises(CheckpointLockedError, match="writes here; stop it"):
            second.save_checkpoint(checkpoint)
        read = second.load_checkpoint("paper-001")
    second.save_checkpoint(checkpoint)
    second.close()
    with CheckpointManager(tmp_path) as third:
        third.save_checkpoint(checkpoint)

    assert read == checkpoint
    assert len(second.list_checkpoints("paper-001")) == 3


# -- frozen ------------------------------------------------------------------------------------------------------------


def test_nothing_is_shared_with_the_live_session() -> None:
    """Whatever the session, its rules, observers and strategy do afterwards, the checkpoint's bytes stay."""
    notes, rule, observer = Notes(), Notes(), Notes()
    simulator = opened(risk_config=RiskConfig(rules=(rule,)), observers=(observer,))
    buy(simulator, "a")
    checkpoint = simulator.snapshot(notes)
    before = encoded(checkpoint)

    buy(simulator, "b")
    simulator.advance(T0 + 900 * MS)
    simulator.disable_trading("ops", "enough")
    for thing in (notes, rule, observer):
        thing.notes["times"].append(0)
        thing.notes["more"] = []

    assert encoded(checkpoint) == before
    assert encoded(simulator.snapshot(notes)) != before


def test_restored_sessions_share_nothing_with_each_other_or_the_checkpoint() -> None:
    """Two sessions from one checkpoint go separate ways, and a third still begins where it was taken."""
    simulator = opened(risk_config=RiskConfig(rules=(Notes(),)))
    buy(simulator, "a")
    checkpoint = simulator.snapshot()
    before = encoded(checkpoint)
    manager = CheckpointManager("never-written")

    one, other = (manager.restore_simulator(checkpoint, rules=(Notes(),)) for _ in range(2))
    buy(one, "only-here")
    one.advance(T0 + 900 * MS)
    other.cancel_order("a", T0)

    assert list(other.pending_orders) == ["a"]
    assert encoded(checkpoint) == before
    assert log(manager.restore_simulator(checkpoint, rules=(Notes(),))) == log(simulator)


def test_checkpoint_cannot_be_changed() -> None:
    """It is frozen, through and through: its fields, its orders and its settings."""
    simulator = opened()
    buy(simulator, "a")
    checkpoint: Any = simulator.snapshot()

    for part, name in ((checkpoint, "timestamp"), (checkpoint.pending[0], "quantity"), (checkpoint.config, "seed")):
        with pytest.raises(AttributeError):
            setattr(part, name, 5)
    assert msgspec.structs.replace(checkpoint) == checkpoint


def test_what_nobody_heard_when_a_listener_failed_is_heard_when_it_would_have_been() -> None:
    """A listener's error ends its call; what it kept others from hearing waits for the next call, restored or not."""
    moods = [OSError("deaf")]

    def attach(simulator: ExecutionSimulator) -> ExecutionSimulator:
        def answer(event: Event, order: Order | None) -> None:
            if moods:
                raise moods.pop()
            if type(event) is OrderSubmitted and event.order_id == "b":
                buy(simulator, "answer")

        simulator.add_listener(answer)
        return simulator

    simulator = attach(opened(latency_config=LATENCY_INSTANT))
    sides = (("a", OrderSide.BUY), ("b", OrderSide.SELL))
    entry, leave = [
        Order(order_id=name, symbol="IBM", side=side, order_type=OrderType.MARKET, quantity=1, created_at=T0)
        for name, side in sides
    ]
    with pytest.raises(OSError, match="deaf"):
        simulator.submit_bracket(entry, leave, timestamp=T0)
    restored = attach(ExecutionSimulator.from_checkpoint(simulator.snapshot()))

    for one in (simulator, restored):
        one.advance(T0 + MS)
        one.advance(T0 + 2 * MS)

    assert len(restored.events) > 3
    assert log(restored) == log(simulator)


# -- work --------------------------------------------------------------------------------------------------------------


def test_what_was_encoded_is_not_encoded_again() -> None:
    """A checkpoint costs the orders and events that are new since the last; taking the same again costs none."""
    simulator, encoder = opened(), Encoder()
    counts = []

    for n in range(5):
        buy(simulator, f"a-{n}")
        simulator.advance(simulator.now + 500 * MS)  # submitted, accepted, filled
        for _ in range(2):
            body = b"".join(encoder.encode(simulator.snapshot()))
            counts.append(encoder.encoded)
            assert body == encoded(simulator.snapshot())

    assert counts == [4, 4, 8, 8, 12, 12, 16, 16, 20, 20]


def test_encoder_begins_anew_where_another_session_continues() -> None:
    """After going back to an older checkpoint and on from there in another way, the file holds what happened there."""
    simulator, encoder = opened(), Encoder()
    buy(simulator, "a")
    older = simulator.snapshot()
    buy(simulator, "b")
    list(encoder.encode(simulator.snapshot()))
    branch = ExecutionSimulator.from_checkpoint(older)
    buy(branch, "c")

    bodies = [b"".join(encoder.encode(one)) for one in (branch.snapshot(), older, simulator.snapshot())]

    found = [[order.order_id for order in decode("x", "paper-001", body).pending] for body in bodies]
    assert found == [["a", "c"], ["a"], ["a", "b"]]


def test_saving_that_failed_leaves_the_next_one_whole(tmp_path: Path) -> None:
    """Events that were encoded for a file that could not be written are in the next one."""
    simulator, manager = opened(), CheckpointManager(tmp_path)
    buy(simulator, "a")
    with CheckpointManager(tmp_path) as other:
        other.save_checkpoint(simulator.snapshot())
        buy(simulator, "b")
        with pytest.raises(CheckpointLockedError):
            manager.save_checkpoint(simulator.snapshot())
    buy(simulator, "c")

    with manager:
        manager.save_checkpoint(simulator.snapshot())

    assert [order.order_id for order in manager.load_checkpoint("paper-001").pending] == ["a", "b", "c"]
