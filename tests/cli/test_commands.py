"""The commands that read runs, and those that list what is on offer."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from seatrial import LATENCY_FAST
from seatrial.cli.latencies import PROFILES
from seatrial.contracts.engine import RunRecord
from seatrial.contracts.latency import Leg
from seatrial.plugins import installed_plugins
from seatrial.report.orders import order_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

LIMIT = "[risk]\nposition_limit = { max_shares = 15 }\n"


@pytest.fixture
def voyage(here: Path, seatrial: Callable[..., Result]) -> RunRecord:
    """Make the run `voyage-1`, in which a limit refuses orders, and return its record."""
    with (here / "voyage.toml").open("a", encoding="utf-8") as file:
        file.write(LIMIT)
    assert seatrial("run", "voyage.toml").exit_code == 0
    return msgspec.json.decode((here / "runs/voyage-1/record.json").read_bytes(), type=RunRecord)


def document(result: Result) -> Any:
    """Return the JSON document that a command printed."""
    assert (result.exit_code, result.stderr) == (0, "")
    return json.loads(result.stdout)


# -- one run -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("voyage")
@pytest.mark.parametrize("name", ["voyage-1", "latest", "runs/voyage-1", "./runs/../runs/voyage-1"])
def test_run_is_found_by_id_by_path_and_as_latest(name: str, seatrial: Callable[..., Result]) -> None:
    """RUN is a run's id, its path, or `latest`."""
    assert document(seatrial("summary", name, "--json"))["name"] == "voyage"


def test_latest_is_the_run_that_was_begun_last(here: Path, voyage: RunRecord, seatrial: Callable[..., Result]) -> None:
    """After a second run `latest` is that one, and after the first was written to again, the first."""
    seatrial("run", "voyage.toml", "--seed", "4")
    assert [run["run"] for run in document(seatrial("sessions", "--json"))] == ["voyage-2", "voyage-1"]

    later = (here / "runs/voyage-2/run.json").stat().st_mtime_ns + 1_000_000
    os.utime(here / "runs/voyage-1/run.json", ns=(later, later))

    assert document(seatrial("orders", "latest", "--json"))[0]["time"] == order_rows(voyage)[0].time
    assert [run["run"] for run in document(seatrial("sessions", "--json"))] == ["voyage-1", "voyage-2"]


def test_orders_are_listed(voyage: RunRecord, seatrial: Callable[..., Result]) -> None:
    """The table has a line for each order, the JSON an object; options choose among them."""
    rejected = [order for order in voyage.orders if order.rejection is not None]
    assert 0 < len(rejected) < len(voyage.orders)

    table = seatrial("orders", "latest").stdout.splitlines()

    assert len(table) == len(voyage.orders) + 2
    assert document(seatrial("orders", "latest", "--json")) == msgspec.to_builtins(order_rows(voyage))
    assert len(document(seatrial("orders", "latest", "--status", "rejected", "--json"))) == len(rejected)
    assert document(seatrial("orders", "latest", "--symbol", "ACME", "--json")) == []


def test_why_tells_which_limit_refused(voyage: RunRecord, seatrial: Callable[..., Result]) -> None:
    """The story of a refused order names the rule, the value and the limit."""
    order = next(order for order in voyage.orders if order.rejection is not None)

    told = seatrial("why", "latest", order.order_id).stdout

    assert told.startswith(f"{order.order_id}: buy 10 IBM market\n")
    assert "rule position_limit\n" in told
    assert "value: 20, limit: 15\n" in told
    as_json = document(seatrial("why", "latest", order.order_id, "--json"))
    assert as_json["told"] == told.splitlines()
    assert as_json["order"]["order_id"] == order.order_id


@pytest.mark.usefixtures("voyage")
def test_summary_is_printed_again(here: Path, seatrial: Callable[..., Result]) -> None:
    """`summary` shows the single legs too; as JSON it is the file that the run left."""
    assert "submit leg" in seatrial("summary", "latest").stdout
    assert document(seatrial("summary", "latest", "--json")) == json.loads(
        (here / "runs/voyage-1/summary.json").read_bytes()
    )


def test_checkpoints_are_listed(here: Path, seatrial: Callable[..., Result]) -> None:
    """Each checkpoint stands there with its time, the newest first; a run without any says how to have some."""
    text = (here / "voyage.toml").read_text("utf-8")
    (here / "voyage.toml").write_text(text.replace("[session]", '[session]\ncheckpoint_every = "event"'), "utf-8")
    seatrial("run", "voyage.toml")

    found = document(seatrial("checkpoints", "latest", "--json"))

    assert [one["sequence"] for one in found] == list(range(len(found), 0, -1))
    assert all((here / one["path"]).stat().st_size == one["bytes"] for one in found)
    assert len(seatrial("checkpoints", "latest").stdout.splitlines()) == len(found) + 2


@pytest.mark.usefixtures("voyage")
def test_run_without_checkpoints_says_how_to_have_some(seatrial: Callable[..., Result]) -> None:
    """An empty table would leave the user to wonder."""
    told = "run voyage-1 has no checkpoints; checkpoint_every asks for them, if the engine takes any\n"

    assert seatrial("checkpoints", "latest").stdout == told
    assert document(seatrial("checkpoints", "latest", "--json")) == []


def test_sessions_without_runs(here: Path, seatrial: Callable[..., Result]) -> None:
    """Without any run there is nothing to list, which is no error."""
    result = seatrial("sessions")

    assert result.stdout == "no runs in runs yet; `seatrial run SESSION.toml` makes one\n"
    assert (result.exit_code, document(seatrial("sessions", "--json"))) == (0, [])


@pytest.mark.usefixtures("voyage")
def test_sessions_lists_what_runs_came_to(seatrial: Callable[..., Result]) -> None:
    """A run's line says how it ended and what it came to."""
    [run] = document(seatrial("sessions", "--json"))

    assert (run["run"], run["state"], run["engine"], run["rows"]) == ("voyage-1", "complete", "native", 3_270)
    line = seatrial("sessions").stdout.splitlines()[-1]
    assert line.split()[:3] == ["voyage-1", "complete", "native"]


def test_schema_is_json(seatrial: Callable[..., Result]) -> None:
    """The schema can be written to a file as it is printed."""
    assert document(seatrial("sessions", "--schema"))["$defs"]["SessionFile"]["required"] == ["tape", "strategy"]


# -- what is on offer --------------------------------------------------------------------------------------------------


def test_engines_tell_what_they_can_do(seatrial: Callable[..., Result]) -> None:
    """Each engine has its version, whether it can run, and its capabilities."""
    native = next(one for one in document(seatrial("engines", "--json")) if one["name"] == "native")

    assert native["problem"] is None
    assert "delay_submit" in native["capabilities"]
    assert "native can do: bar_strict, bars, brackets, " in seatrial("engines").stdout


def test_rules_tell_what_they_limit(seatrial: Callable[..., Result]) -> None:
    """Every rule that a session can name is there, with the distribution it comes from."""
    found = document(seatrial("rules", "--json"))

    assert [one["name"] for one in found] == list(installed_plugins().risk_rules())
    assert all(one["distribution"].startswith("seatrial ") and one["summary"] for one in found)
    assert all(one["name"] in seatrial("rules").stdout for one in found)


def test_latency_models_tell_the_profiles(seatrial: Callable[..., Result]) -> None:
    """The profiles with their legs, the distributions with their keys, and the models of plugins are there."""
    found = document(seatrial("latency-models", "--json"))

    assert list(found["profiles"]) == sorted(PROFILES)
    assert found["profiles"]["fast"]["fill"] == msgspec.to_builtins(LATENCY_FAST.leg(Leg.FILL))
    assert found["distributions"]["uniform"] == ["low", "high"]
    assert "fast      10 ms    0 ms   50 ms to 100 ms    20 ms    10 ms\n" in seatrial("latency-models").stdout


BROKEN = "raise RuntimeError('no wind')\n"
TALLY = """\
from seatrial.contracts.plugin import LatencyModelSpec, ObserverSpec
from seatrial.contracts.latency import Constant
from seatrial.hookspecs import hookimpl


class Tally:
    def notify(self, event, order):
        pass


@hookimpl
def seatrial_observers():
    return [ObserverSpec(name="tally", build=Tally)]


@hookimpl
def seatrial_latency_models():
    return [LatencyModelSpec(name="fibre", build=lambda km: Constant(km), summary="light in glass")]
"""
MISSPELLED = TALLY.replace("seatrial_observers", "seatrial_obsrvers")
POINTS = "[seatrial]\na_broken = broken\nb_tally = tally\nc_misspelled = misspelled\nd_blocked = gone\n"


def test_plugins_tell_what_failed_and_why(here: Path) -> None:
    """A plugin is loaded, failed with its reason, or blocked; one that fails hides no other."""
    for name, text in {"broken": BROKEN, "tally": TALLY, "misspelled": MISSPELLED}.items():
        (here / f"{name}.py").write_text(text, "utf-8")
    info = here / "buoy-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: buoy\nVersion: 2.0\n", "utf-8")
    (info / "entry_points.txt").write_text(POINTS, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(here), "SEATRIAL_DISABLE_PLUGINS": "d_blocked"}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "seatrial", *arguments]
        return subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stdout

    found = {one["name"]: one for one in json.loads(run("plugins", "--json")) if one["distribution"] == "buoy 2.0"}
    table = run("plugins")

    assert {name: one["state"] for name, one in found.items()} == {
        "a_broken": "failed",
        "b_tally": "loaded",
        "c_misspelled": "failed",
        "d_blocked": "blocked",
    }
    assert found["a_broken"]["problem"] == "RuntimeError: no wind"
    assert found["b_tally"]["offers"] == {"latency_models": ["fibre"], "observers": ["tally"]}
    assert "seatrial_obsrvers" in found["c_misspelled"]["problem"]
    assert found["d_blocked"]["problem"] == "it is named in SEATRIAL_DISABLE_PLUGINS"
    assert re.search(r"buoy 2\.0 +latency models: fibre; observers: tally\n", table)
