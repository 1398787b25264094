"""A run goes on with the tape, the strategy and the script it began with, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from seatrial import Order, OrderSide, OrderType, Quote
from seatrial.clock import to_ns
from seatrial.contracts.scenario import DataKind, ExecutionConfig, Scenario, StrategyRef, SubmitAt, Tape, TapeFile
from seatrial.engine.native import NativeEngine
from seatrial.errors import CheckpointError, InvalidConfigError, StrategyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from seatrial.contracts.market import MarketEvent

D = Decimal
T0 = to_ns(datetime(2024, 3, 4, 14, 30, tzinfo=UTC))
SECOND = 1_000_000_000
AT = 20
"""How many rows are over where runs are left."""

BUYER = """
class Buyer:
    def __init__(self, every=3):
        self.every, self.seen = every, 0

    def on_market(self, ctx, event):
        self.seen += 1
        if self.seen % self.every == 0:
            ctx.buy("X", 1)

    def save_state(self):
        return self.seen

    def load_state(self, value):
        self.seen = value


class Other(Buyer):
    pass
"""


class Leave:
    """Ends a run after so many rows."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    def row(self, event: MarketEvent, count: int) -> bool:
        del event
        return count < self.rows


def rows(count: int = 40) -> tuple[Quote, ...]:
    """Return quotes, of which two at a time are of one instant."""
    return tuple(Quote(T0 + n // 2 * SECOND, "X", D(100 + n * 7 % 13), D(120)) for n in range(count))


def order(name: str, at: int) -> SubmitAt:
    """Return an instruction to buy one."""
    bought = Order(
        order_id=name,
        symbol="X",
        side=OrderSide.BUY,
        order_type=OrderType.MARKET,
        quantity=D(1),
        created_at=T0 + at * SECOND,
    )
    return SubmitAt(T0 + at * SECOND, (bought,))


@pytest.fixture(name="scenario")
def _scenario(tmp_path: Path) -> Scenario:
    (tmp_path / "buyer.py").write_text(BUYER, "utf-8")
    return Scenario(
        tape=Tape(rows=rows()),
        strategy=StrategyRef(path=f"{tmp_path / 'buyer.py'}:Buyer", params={"every": 3}),
        script=(order("a", 1), order("b", 3), order("c", 15)),
    )


def left(scenario: Scenario, tmp_path: Path) -> str:
    """Run up to row `AT`, and return the checkpoint."""
    return NativeEngine().run(scenario, directory=str(tmp_path / "left"), monitor=Leave(AT)).checkpoints[-1]


def swapped(tape: tuple[Quote, ...]) -> tuple[Quote, ...]:
    """Return the rows with two of one instant in the other order."""
    return (*tape[:4], tape[5], tape[4], *tape[6:])


TAPES: dict[str, tuple[Callable[[tuple[Quote, ...]], tuple[Quote, ...]], str]] = {
    "one removed": (lambda tape: (*tape[:7], *tape[8:]), "which are others now"),
    "one added": (lambda tape: (*tape[:7], tape[6], *tape[7:]), "which are others now"),
    "the first removed": (lambda tape: tape[1:], "which are others now"),
    "two of one instant swapped": (swapped, "which are others now"),
    "the last one that was read changed": (
        lambda tape: (*tape[: AT - 1], msgspec.structs.replace(tape[AT - 1], ask_size=D(5)), *tape[AT:]),
        "which are others now",
    ),
    "too few": (lambda tape: tape[: AT - 1], "which has 19 now"),
}


@pytest.mark.parametrize("case", TAPES)
def test_other_rows_than_those_read_are_refused(case: str, scenario: Scenario, tmp_path: Path) -> None:
    """Removed, added, reordered, changed: whatever was read has to be what is read again."""
    change, said = TAPES[case]
    other = msgspec.structs.replace(
        scenario, tape=Tape(rows=change(rows())), resume_from=left(scenario, tmp_path), stop=T0 + 30 * SECOND
    )

    with pytest.raises(CheckpointError, match=said) as caught:
        NativeEngine().run(other)

    assert "the run had read 20 rows of a tape that was given row by row" in str(caught.value)
    assert str(caught.value).endswith("resume it with the tape it began with")


def test_rows_to_come_may_be_others(scenario: Scenario, tmp_path: Path) -> None:
    """A tape that has grown, or whose rows after the checkpoint were mended, is gone on with."""
    later = msgspec.structs.replace(scenario, tape=Tape(rows=(*rows(AT), *rows(60)[AT + 2 :])))

    resumed = NativeEngine().run(msgspec.structs.replace(later, resume_from=left(scenario, tmp_path)))

    assert resumed.events == NativeEngine().run(later).events
    assert resumed.rows == 58


def test_file_of_a_tape_that_changed_is_named(scenario: Scenario, tmp_path: Path) -> None:
    """With how many come after it; bars of one end are one step, and each of them counts."""
    lines = [f"{1_700_000_000 + n // 2},{'XY'[n % 2]},100,101,99,{100 + n % 2}" for n in range(60)]
    head = "ts,symbol,open,high,low,close"
    files = [tmp_path / "early.csv", tmp_path / "late.csv"]
    files[0].write_text("\n".join([head, *lines[:50]]), "utf-8")
    files[1].write_text("\n".join([head, *lines[50:]]), "utf-8")
    tape = Tape(files=tuple(TapeFile(path=str(file), kind=DataKind.BARS, unit="s") for file in files))
    begun = msgspec.structs.replace(scenario, tape=tape, script=())
    path = left(begun, tmp_path)
    resumed = msgspec.structs.replace(begun, resume_from=path)
    assert NativeEngine().run(resumed).events == NativeEngine().run(begun).events
    files[0].write_text("\n".join([head, *lines[:3], lines[3].replace("101", "102"), *lines[4:50]]), "utf-8")

    with pytest.raises(CheckpointError, match=r"20 rows of .*early\.csv and 1 more files, which are others now"):
        NativeEngine().run(resumed)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"params": {"every": 4}}, r"params=\{'every': 3\}, not \{'every': 4\}"),
        ({"strategy_id": "Z"}, "strategy_id='S', not 'Z'"),
        ({"path": "Other"}, r"strategy='buyer\.py:Buyer', not 'buyer\.py:Other'"),
        (None, r"strategy='buyer\.py:Buyer', not None"),
    ],
)
def test_other_strategy_is_refused(
    change: dict[str, Any] | None, said: str, scenario: Scenario, tmp_path: Path
) -> None:
    """Class, parameters and the prefix of its orders are those it began with."""
    path = left(scenario, tmp_path)
    strategy = scenario.strategy
    assert strategy is not None
    if change is not None and "path" in change:
        change = {"path": strategy.path.replace("Buyer", "Other")}
    other = None if change is None else msgspec.structs.replace(strategy, **change)

    with pytest.raises(CheckpointError, match=f"the run began with {said}; resume it as it began"):
        NativeEngine().run(msgspec.structs.replace(scenario, strategy=other, resume_from=path))


def test_strategy_whose_folder_was_moved_is_the_same(scenario: Scenario, tmp_path: Path) -> None:
    """A session's folder may be copied elsewhere: only the file's name is compared."""
    path = left(scenario, tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "buyer.py").rename(tmp_path / "elsewhere/buyer.py")
    moved = StrategyRef(path=f"{tmp_path / 'elsewhere/buyer.py'}:Buyer", params={"every": 3})

    resumed = NativeEngine().run(msgspec.structs.replace(scenario, strategy=moved, resume_from=path))

    whole = NativeEngine().run(msgspec.structs.replace(scenario, strategy=moved))
    assert resumed.events == whole.events


def test_parameters_that_are_no_json_cannot_be_kept(scenario: Scenario, tmp_path: Path) -> None:
    """They could not be compared; a run without checkpoints takes them."""
    assert scenario.strategy is not None
    odd = msgspec.structs.replace(
        scenario, strategy=msgspec.structs.replace(scenario.strategy, params={"every": Fraction(3)})
    )

    with pytest.raises(InvalidConfigError, match="a run with checkpoints takes JSON values"):
        NativeEngine().run(
            msgspec.structs.replace(odd, execution=ExecutionConfig(checkpoint_every="event")), directory=str(tmp_path)
        )


@pytest.mark.parametrize("script", [(), ("a",), ("a", "x"), ("b", "a")])
def test_other_script_than_that_carried_out_is_refused(
    script: tuple[str, ...], scenario: Scenario, tmp_path: Path
) -> None:
    """An instruction that is over is an order that was sent."""
    path = left(scenario, tmp_path)
    other = tuple([order(name, at) for name, at in zip(script, (1, 3), strict=False)])

    with pytest.raises(CheckpointError, match="the first 2 instructions of the script, which were carried out, are"):
        NativeEngine().run(msgspec.structs.replace(scenario, script=other, resume_from=path))


def test_instructions_to_come_may_be_others(scenario: Scenario, tmp_path: Path) -> None:
    """As with rows."""
    later = msgspec.structs.replace(scenario, script=(*scenario.script[:2], order("d", 16)))

    resumed = NativeEngine().run(msgspec.structs.replace(later, resume_from=left(scenario, tmp_path)))

    assert resumed.events == NativeEngine().run(later).events


KEEPERS = """
from seatrial.engine.strategy import Strategy


class Bare:
    def on_market(self, ctx, event):
        pass


class Based(Strategy):
    pass


class Stateless(Strategy):
    def save_state(self):
        return None


class OneWay(Bare):
    def save_state(self):
        return {"n": 1}
"""


def keeper(scenario: Scenario, tmp_path: Path, name: str) -> Scenario:
    """Return the scenario with one of the strategies above."""
    (tmp_path / "keepers.py").write_text(KEEPERS, "utf-8")
    return msgspec.structs.replace(scenario, strategy=StrategyRef(path=f"{tmp_path / 'keepers.py'}:{name}"))


def test_state_that_cannot_be_taken_back_is_refused(scenario: Scenario, tmp_path: Path) -> None:
    """A strategy that saves but does not load would begin anew in silence."""
    one_way = keeper(scenario, tmp_path, "OneWay")
    path = left(one_way, tmp_path)

    with pytest.raises(
        StrategyError, match=r"OneWay': it has a state in the checkpoint, but no load_state\(value\) to"
    ):
        NativeEngine().run(msgspec.structs.replace(one_way, resume_from=path))


@pytest.mark.parametrize("name", ["Bare", "Based"])
def test_strategy_that_keeps_nothing_is_told_of_in_the_record(name: str, scenario: Scenario, tmp_path: Path) -> None:
    """With the time from which on it was a new one; also of a run that was left and gone on with twice."""
    bare = keeper(scenario, tmp_path, name)
    first = left(bare, tmp_path)
    again = msgspec.structs.replace(bare, resume_from=first)
    second = NativeEngine().run(again, directory=str(tmp_path / "again"), monitor=Leave(AT + 10)).checkpoints[-1]

    once = NativeEngine().run(again)
    twice = NativeEngine().run(msgspec.structs.replace(bare, resume_from=second))

    remedy = "give it save_state() and load_state(value)"
    anew = [
        f"the strategy keeps no state, so it began anew at 2024-03-04T14:30:{second}.000000000Z; {remedy}"
        for second in ("09", "14")
    ]
    assert NativeEngine().run(bare).warnings == ()
    assert (once.warnings, twice.warnings) == ((anew[0],), (*anew,))


def test_strategy_that_says_it_has_nothing_to_keep_is_believed(scenario: Scenario, tmp_path: Path) -> None:
    """`None` is a state like any other."""
    stateless = keeper(scenario, tmp_path, "Stateless")

    resumed = NativeEngine().run(msgspec.structs.replace(stateless, resume_from=left(stateless, tmp_path)))

    assert resumed.warnings == ()
