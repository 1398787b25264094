"""Checkpoint bodies that were tampered with, under a right checksum: each is refused in one line, and no more."""

from __future__ import annotations

import copy
import json
import logging
import random
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import CheckpointManager, ExecutionCheckpoint
from seatrial.errors import CheckpointError, InvalidConfigError, PluginError, UnknownPluginNameError
from seatrial.store.files import CheckpointFiles

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.core.voyage import crew, tape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GOLDEN = Path(__file__).parent / "golden"
T0 = 1_704_898_799_000_000_000
ID = "golden-v1"
REFUSALS = (CheckpointError, InvalidConfigError, UnknownPluginNameError, PluginError)
"""The last two for a name, or parameters, that nobody offers."""


def golden_body() -> Any:
    """Return the body of the golden checkpoint."""
    return json.loads((GOLDEN / "checkpoint_v1.json").read_bytes())["body"]


def written(folder: Path, body: object) -> Path:
    """Write any body with a right checksum."""
    with CheckpointFiles(folder) as files:
        return files.write(ID, T0, 1, [json.dumps(body).encode()])


def set_event(number: int, place: int, value: object) -> Callable[[Any], None]:
    """Return a change of one member of one event's row."""

    def change(body: Any) -> None:
        body["events"][number][place] = value

    return change


def set_member(*path: str | int, value: object) -> Callable[[Any], None]:
    """Return a change of whatever a path leads to."""

    def change(body: Any) -> None:
        place = body
        for name in path[:-1]:
            place = place[name]
        place[path[-1]] = value

    return change


def drop(*path: str | int) -> Callable[[Any], None]:
    """Return a removal of whatever a path leads to."""

    def change(body: Any) -> None:
        place = body
        for name in path[:-1]:
            place = place[name]
        del place[path[-1]]

    return change


SECTIONS = ("config", "account", "gate", "engine", "observers")
TAMPERED: dict[str, Callable[[Any], None]] = {
    "unknown event": set_event(0, 0, "teleported"),
    "event of no kind": set_event(0, 0, None),
    "event of another kind": set_event(0, 0, "accepted"),
    "event of an order beyond the last": set_event(0, 1, 99),
    "event of an order before the first": set_event(0, 1, -1),
    "event of an order far before the first": set_event(0, 1, -5),
    "event of another order": set_event(0, 1, 1),
    "event out of order": lambda body: body["events"].reverse(),
    "event twice": lambda body: body["events"].insert(0, body["events"][0]),
    "event lost": drop("events", 0),
    "event time of str": set_event(0, 2, "now"),
    "event that ends early": set_member("events", 0, value=["submitted", 0]),
    "event that is no row": set_member("events", 0, value={"event": "submitted"}),
    "events of null": set_member("events", value=None),
    "no events": drop("events"),
    "fill of nothing": lambda body: fill(body).__setitem__(5, "0"),
    "fill of no number": lambda body: fill(body).__setitem__(5, "NaN"),
    "fill of a signalling number": lambda body: fill(body).__setitem__(5, "sNaN"),
    "fill of infinity": lambda body: fill(body).__setitem__(5, "Infinity"),
    "fill beyond the order": lambda body: fill(body).__setitem__(5, "1e9"),
    "fill at no price": lambda body: fill(body).__setitem__(6, "NaN"),
    "fill at an endless price": lambda body: fill(body).__setitem__(6, "1e999999"),
    "order without a name": set_member("orders", 0, 0, value=""),
    "order of no quantity": set_member("orders", 0, 4, value="0"),
    "order before time": set_member("orders", 0, 5, value=-1),
    "order after time": set_member("orders", 0, 5, value=2**70),
    "order of no type": set_member("orders", 0, 3, value="teleport"),
    "order with what it takes not": set_member("orders", 0, 6, "stop_price", value="5"),
    "order twice": lambda body: body["orders"].insert(0, body["orders"][0]),
    "order lost": drop("orders", 3),
    "orders of null": set_member("orders", value=None),
    "timestamp of null": set_member("timestamp", value=None),
    **{
        f"{name} of null": set_member(name, value=None) for name in ("config", "account", "gate", "engine", "observers")
    },
    **{
        f"{name} of a list": set_member(name, value=[]) for name in ("config", "account", "gate", "engine", "observers")
    },
    **{f"no {name}": drop(name) for name in ("config", "account", "timestamp", "gate", "engine", "orders", "strategy")},
    "seed of str": set_member("config", "seed", value="x"),
    "no id": drop("config", "simulator_id"),
    "id that walks": set_member("config", "simulator_id", value="../x"),
    "cash of no number": set_member("config", "initial_cash", value="NaN"),
    "unknown latency": set_member("config", "latency", "submit", "distribution", value="teleport"),
    "delay before time": set_member("config", "latency", "submit", "delay_ns", value=-1),
    "zone nowhere": set_member("config", "risk", "day_zone", value="Nowhere/Town"),
    "rule of a number": set_member("config", "risk", "rules", value=[5]),
    "rule nobody offers": set_member("config", "risk", "rules", value=[{"rule": "named", "name": "nobody's"}]),
    "rule that was an object": set_member("config", "risk", "rules", value=[{"rule": "object", "name": "Mine"}]),
    "observer nobody offers": set_member("config", "observers", value=[{"name": "nobody's"}]),
    "state of an observer that is none": set_member("observers", "states", "x", value={}),
    "more unheard than there was": set_member("gate", "unheard", value=[None] * 500),
    "position of nothing held": set_member("gate", "account", "held", value=["nothing"]),
    "venue with an unknown order": set_member("engine", "venue", "working", 0, "order_id", value="nobody"),
    "list with an unknown order": set_member("engine", "venue", "books", 0, "waiting", value=["nobody"]),
    "timer of an unknown order": set_member("engine", "venue", "timers", value=[[T0, "nobody"]]),
    "group with an unknown order": set_member("engine", "venue", "groups", value={"pair": ["nobody"]}),
    "child that is unknown": set_member("engine", "venue", "children", value={"entry": ["nobody"]}),
    "limit of no number": set_member("engine", "venue", "working", 0, "limit", value="sNaN"),
    "rest of no number": set_member("engine", "venue", "working", 0, "remaining", value="NaN"),
    "no venue": drop("engine", "venue"),
    "unknown step": set_member("engine", "unfinished", "then", "data", value="teleport"),
    "step with a crossed quote": set_member("engine", "unfinished", "then", "bid", value="1000"),
    "change of an unknown order": set_member("gate", "exposure", "changes", value={"nobody": [{"quantity": "5"}]}),
    "latch of no action": set_member("gate", "controls", "latches", value={"x": {"message": "x", "action": "jump"}}),
    "rule state of no rule": set_member("gate", "risk", "rules", value={"nobody": 5}),
}


DOUBTFUL: dict[str, Callable[[Any], None]] = {
    "event time before time": set_event(0, 2, -5),
    "orders shuffled": lambda body: body["orders"].reverse(),
    "request for an unknown order": set_member(
        "gate", "wire", "requests", value=[[T0, {"request": "place", "order_ids": ["nobody"]}, None]]
    ),
    "report about an unknown order": set_member("gate", "wire", "reports", 0, 1, "order_id", value="nobody"),
    "track of an unknown order": set_member("gate", "wire", "tracks", value={}),
    "more reported than there was": set_member("gate", "reported", value=500),
    "reported less than nothing": set_member("gate", "reported", value=-3),
    "venue with an order of another symbol": set_member("engine", "venue", "books", 0, "symbol", value="BETA"),
}
"""What may be believed, since nobody can tell at once."""


def fill(body: Any) -> Any:
    """Return the row of the first fill."""
    return next(row for row in body["events"] if row[0] == "filled")


def attempt(manager: CheckpointManager, path: Path, **again: Any) -> tuple[str, str]:
    """Load and restore; return where it was refused, if it was, and with which words.

    :raises Exception: what is no refusal.
    """
    checkpoint: ExecutionCheckpoint | None = None
    try:
        checkpoint = manager.load_checkpoint(path)
        rules = () if checkpoint.config.risk is None else again.get("rules", tuple)()
        manager.restore_simulator(checkpoint, **(again | {"rules": rules, "observers": again["observers"]()}))
    except REFUSALS as error:
        return ("load" if checkpoint is None else "restore"), str(error)
    return "", ""


@pytest.mark.parametrize("case", TAMPERED)
def test_tampered_body_is_refused_in_one_line(tmp_path: Path, case: str) -> None:
    """What does not fit together is never restored, though the checksum is right."""
    body = golden_body()
    TAMPERED[case](body)

    where, told = attempt(CheckpointManager(tmp_path), written(tmp_path, body), observers=tuple)

    assert where
    assert told
    assert "\n" not in told


@pytest.mark.parametrize("case", DOUBTFUL)
def test_doubtful_body_is_believed_or_refused(tmp_path: Path, case: str) -> None:
    """Nothing else is raised."""
    body = golden_body()
    DOUBTFUL[case](body)

    _, told = attempt(CheckpointManager(tmp_path), written(tmp_path, body), observers=tuple)

    assert "\n" not in told


@pytest.mark.parametrize("body", [None, 5, "x", [], {}, [1], {"config": {}}, True])
def test_body_that_is_none_is_refused(tmp_path: Path, body: object) -> None:
    """Any other JSON value in a checkpoint's place is no checkpoint."""
    with pytest.raises(CheckpointError, match="its contents do not fit together"):
        CheckpointManager(tmp_path).load_checkpoint(written(tmp_path, body))


def test_untouched_body_is_believed(tmp_path: Path) -> None:
    """The same way of writing, with nothing changed, restores: the refusals above are for what was changed."""
    assert attempt(CheckpointManager(tmp_path), written(tmp_path, golden_body()), observers=tuple) == ("", "")


VALUES: tuple[Any, ...] = (
    *(None, 0, -1, 1, 2**70, 1.5, True, "", "x", "NaN", "sNaN", "1e999999", "-5", "order-1", "market"),
    *([], {}, [None], {"a": 1}, 1_704_834_000_000_000_000),
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Return the path to everything within a value."""
    parts: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield (*path, name)
        yield from places(part, (*path, name))


def mutate(body: Any, dice: random.Random) -> Any:
    """Return a body with one part replaced, removed, doubled, shuffled or taken from elsewhere."""
    changed = copy.deepcopy(body)
    section = dice.choice(sorted(changed))
    path = dice.choice([path for path in places(changed) if path[0] == section])
    place = changed
    for name in path[:-1]:
        place = place[name]
    how = dice.random()
    if how < 0.5:
        place[path[-1]] = copy.deepcopy(dice.choice(VALUES))
    elif how < 0.75:
        del place[path[-1]]
    elif not isinstance(place, list):
        place[path[-1]] = copy.deepcopy(place[dice.choice(sorted(place))])
    elif how < 0.9:
        place.append(copy.deepcopy(dice.choice(place)))
    else:
        dice.shuffle(place)
    return changed


def test_no_mutation_of_a_body_is_more_than_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Three hundred seeded changes to checkpoints of a busy voyage: each is believed or refused, in one line."""
    caplog.set_level(logging.CRITICAL, logger="seatrial")
    simulator, taken, dice = tape.opened(0), list[ExecutionCheckpoint](), random.Random(11)
    strategy = tape.Strategy(simulator)
    simulator.add_listener(lambda event, order: taken.append(simulator.snapshot(strategy)))
    tape.sail(simulator, strategy, tape.tape(0)[:200])
    plugins, ends, wrong = crew.installed(), Counter[str](), Counter[str]()

    with CheckpointManager(tmp_path / "taken") as manager:
        paths = [manager.save_checkpoint(taken[n]) for n in (40, 120, 200)]
    bodies = [json.loads(path.read_bytes())["body"] for path in paths]
    with CheckpointFiles(tmp_path) as files:
        for _ in range(300):
            body = json.dumps(mutate(dice.choice(bodies), dice)).encode()
            path = files.write(simulator.simulator_id, T0, 1, [body])
            try:
                where, told = attempt(CheckpointManager(tmp_path), path, rules=crew.rules, observers=crew.observers,
                                      plugins=plugins)  # fmt: skip
            except Exception as error:  # noqa: BLE001 - that is what must not happen
                wrong[f"{type(error).__name__}: {error}"] += 1
            else:
                ends[where] += 1
                assert "\n" not in told

    assert wrong == {}
    assert min(ends[where] for where in ("load", "restore", "")) > 30
