"""Formats of checkpoints: the first one is good for ever, newer ones are refused, steps lead on from older ones.

The golden checkpoint is renewed with `python tests/core/golden/checkpoint.py --write`.
"""

from __future__ import annotations

import importlib.util
import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial import CheckpointManager
from seatrial.errors import CheckpointError, CheckpointVersionError
from seatrial.store.files import CheckpointFiles
from seatrial.store.migrations import FORMAT, MIGRATIONS, migrated

if TYPE_CHECKING:
    from types import ModuleType

GOLDEN = Path(__file__).parent / "golden"
T0 = 1_704_898_799_000_000_000
ID = "golden-v1"


@pytest.fixture(scope="module")
def golden() -> ModuleType:
    """Return the module that took the golden checkpoint."""
    spec = importlib.util.spec_from_file_location("golden_checkpoint", GOLDEN / "checkpoint.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def put(folder: Path, content: bytes) -> CheckpointManager:
    """Put a file where the manager of a folder finds the golden session's newest."""
    path = folder / ID / "latest.json"
    path.parent.mkdir(parents=True)
    path.touch(0o600)
    path.write_bytes(content)
    return CheckpointManager(folder)


def golden_body() -> Any:
    """Return the body of the golden checkpoint."""
    return json.loads((GOLDEN / "checkpoint_v1.json").read_bytes())["body"]


def written(folder: Path, body: object, *, simulator_id: str = ID, version: int = 1, formats: int = 1) -> Path:
    """Write any body with a right checksum."""
    with CheckpointFiles(folder, formats=formats) as files:
        return files.write(simulator_id, T0, version, [json.dumps(body).encode()])


def test_first_format_is_still_gone_on_from(tmp_path: Path, golden: ModuleType) -> None:
    """The golden checkpoint, taken within a call, is restored and ends with the log it always ended with."""
    manager = put(tmp_path, (GOLDEN / "checkpoint_v1.json").read_bytes())
    digest, name = (GOLDEN / "checkpoint_v1.sha256").read_text(encoding="ascii").split()

    log = golden.finish(golden.restored(manager))

    assert name == "checkpoint_v1.json"
    assert sha256(log).hexdigest() == digest


def test_first_format_is_written_as_the_golden_file_has_it(tmp_path: Path, golden: ModuleType) -> None:
    """The same moment, saved today, gives the golden bytes; should it not, the format needs a new number."""
    content = golden.take(tmp_path).read_bytes()

    assert FORMAT == 1
    assert content.partition(b"\n")[2] == (GOLDEN / "checkpoint_v1.json").read_bytes().partition(b"\n")[2]


def test_golden_file_has_much_under_way() -> None:
    """An unfinished call, working orders in groups and reports on the wire are in it, so little can go unseen."""
    body = golden_body()
    venue = body["engine"]["venue"]

    assert body["engine"]["unfinished"]["then"]["data"] == "quote"
    assert {report["event"] for _, report, _ in body["gate"]["wire"]["reports"]} == {"replaced", "cancelled"}
    assert {one["phase"] for one in venue["working"]} == {"limit", "stop", "market", "close"}
    assert venue["groups"]
    assert venue["ended_groups"]
    assert len(venue["timers"]) > 0
    assert {row[0] for row in body["events"]} >= {"submitted", "accepted", "filled", "denied", "modify_requested"}


def test_newer_format_is_refused_with_both_versions_named(tmp_path: Path) -> None:
    """A file of format 9 is not passed over for an older one."""
    written(tmp_path, golden_body())
    written(tmp_path, golden_body(), version=9, formats=9)

    with pytest.raises(CheckpointVersionError, match=rf"its format is 9, .* reads up to {FORMAT}; update seatrial"):
        CheckpointManager(tmp_path).load_checkpoint(ID)


def renamed(value: dict[str, Any]) -> dict[str, Any]:
    """Lead from format 1 to 2: the time got another name."""
    return {("moment" if name == "timestamp" else name): part for name, part in value.items()}


def doubled(value: dict[str, Any]) -> dict[str, Any]:
    """Lead from format 2 to 3."""
    return {**value, "moment": value["moment"] * 2}


def test_older_body_goes_through_every_step_in_order() -> None:
    """Each registered step turns one format into the next, up to the present one and no further."""
    body, steps = json.dumps({"timestamp": 21, "rest": "0.10"}).encode(), {1: renamed, 2: doubled}

    found = json.loads(migrated("x", body, 1, present=3, steps=steps))
    unchanged = migrated("x", body, 3, present=3, steps=steps)

    assert found == {"moment": 42, "rest": "0.10"}
    assert unchanged is body


def of_format_0(folder: Path, body: object) -> Path:
    """Write a file of the format before the first, which nobody ever had, as an older release would have."""
    path = written(folder, body)
    rest = path.read_bytes()[77:].replace(b'"format":1', b'"format":0', 1)
    content = b'{"checksum":"' + sha256(rest).hexdigest().encode() + rest
    for one in (path, path.with_name("latest.json")):
        one.write_bytes(content)
    return path


def test_registered_steps_lead_to_the_present_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of an older format is loaded through the steps, by path and as the newest."""
    monkeypatch.setitem(MIGRATIONS, 0, lambda value: {**value, "strategy": {"migrated": True}})
    path = of_format_0(tmp_path, {name: part for name, part in golden_body().items() if name != "strategy"})

    found = [CheckpointManager(tmp_path).load_checkpoint(one) for one in (path, ID)]

    assert [checkpoint.strategy_state for checkpoint in found] == [{"migrated": True}] * 2


def test_missing_step_is_an_error_that_names_it(tmp_path: Path) -> None:
    """Where nobody leads on, the file and both formats are named."""
    path = of_format_0(tmp_path, golden_body())

    with pytest.raises(CheckpointError, match=r"no step leads from its format 0 to 1; load it with an older") as caught:
        CheckpointManager(tmp_path).load_checkpoint(path)
    with pytest.raises(CheckpointError, match=r"checkpoint x: no step leads from its format 2 to 3"):
        migrated("x", b'{"timestamp": 1}', 1, present=3, steps={1: renamed})

    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("body", [{}, [], {"timestamp": "x"}])
def test_step_that_stumbles_over_a_tampered_body_is_one_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: object
) -> None:
    """Steps are written for bodies as they were; what another one raises is no traceback."""
    monkeypatch.setitem(MIGRATIONS, 0, lambda value: {**value, "timestamp": value["timestamp"] + 1})
    path = of_format_0(tmp_path, body)

    with pytest.raises(CheckpointError) as caught:
        CheckpointManager(tmp_path).load_checkpoint(path)

    assert "\n" not in str(caught.value)
