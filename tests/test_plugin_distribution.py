"""A distribution that knows nothing of ours but the hooks installs beside seatrial, and its names work in a run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from seatrial.plugins import DISABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.packaging

EXAMPLE = Path(__file__).resolve().parents[1] / "docs" / "examples" / "plugin_no_friday"
README = (EXAMPLE / "README.md").read_text("utf-8")
PROGRAM, OUTPUT = re.findall(r"^```(?:py|text)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
TUTORIAL = (EXAMPLE.parents[1] / "tutorial_risk_rule.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)
DUMP = """
import json
from seatrial.contracts.events import encode_events
from seatrial.plugins import installed_plugins
orders = [simulator.get_order(order_id) for order_id in sum(plan, [])]
print(json.dumps({
    "events": [json.loads(line) for line in encode_events(simulator.events).splitlines()],
    "heard": [type(event).__name__ + " " + event.order_id for event in simulator.events],
    "prices": {order.order_id: [str(fill.price) for fill in order.executions] for order in orders},
    "opens": [str(bar.open) for bar, _ in zip(ibm_daily(), plan)],
    "dropped": list(simulator.dropped_observers),
    "failures": [str(failure) for failure in installed_plugins().failures],
}))
"""
"""What is told of the run after the README's program, in one line."""
PIP = ("-Im", "pip", "-qq", "--disable-pip-version-check")


@pytest.fixture(scope="module")
def plugin_wheel(run: Callable[..., str], once: Callable[..., Path]) -> Path:
    """Build the example's wheel in a folder of its own."""
    command = (sys.executable, "-Im", "build", "--wheel", EXAMPLE, "--outdir")
    [path] = once("plugin", lambda folder: run(*command, folder, cwd=folder)).glob("*.whl")
    return path


@pytest.fixture(scope="module")
def python(run: Callable[..., str], alone: Path, plugin_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of a new environment that has seatrial, the example, and what its tests need."""
    folder = tmp_path_factory.mktemp("beside")
    python = shutil.copytree(alone, folder / "env", symlinks=True) / "bin" / "python"
    run(python, *PIP, "install", f"{plugin_wheel}[test]", cwd=folder)
    return python


@pytest.fixture
def neighbour(tmp_path: Path) -> Path:
    """Return a folder with an installed distribution whose plugin cannot be imported."""
    about = tmp_path / "torn_sails-2.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: torn-sails\nVersion: 2.0\n")
    (about / "entry_points.txt").write_text("[seatrial]\ntorn = torn_sails\n")
    (tmp_path / "torn_sails.py").write_text("raise RuntimeError('in rags')\n")
    return tmp_path


@pytest.fixture
def without_plugin(run: Callable[..., str], python: Path, plugin_wheel: Path, tmp_path: Path) -> Iterator[Path]:
    """Return the interpreter while the example is not installed."""
    run(python, *PIP, "uninstall", "--yes", "seatrial-no-friday", cwd=tmp_path)
    yield python
    run(python, *PIP, "install", "--no-deps", "--force-reinstall", plugin_wheel, cwd=tmp_path)


def execute(python: Path, program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a new process, away from every source folder."""
    settings = {name: value for name, value in os.environ.items() if name != DISABLE}
    return subprocess.run(
        [str(python), "-I", "-c", program],
        cwd=python.parent,
        env=settings | environment,
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def told(python: Path, program: str = PROGRAM) -> tuple[list[str], dict[str, Any]]:
    """Run the README's program; return what it printed, and what is told of the run."""
    result = execute(python, program + DUMP)
    assert result.returncode == 0, result.stderr
    *printed, dump = result.stdout.splitlines()
    return printed, json.loads(dump)


def beside(folder: Path) -> str:
    """Return the README's program with one more folder of installed distributions."""
    return f"import sys\nsys.path.append({str(folder)!r})\n{PROGRAM}"


def last_line(result: subprocess.CompletedProcess[str]) -> str:
    """Return the error a program ended with."""
    assert result.returncode != 0
    return result.stderr.splitlines()[-1]


def test_wheel_holds_the_plugin_and_nothing_else(plugin_wheel: Path) -> None:
    """One package, typed, with its entry point; the tests stay at home."""
    with zipfile.ZipFile(plugin_wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        [points] = [archive.read(name) for name in archive.namelist() if name.endswith("/entry_points.txt")]

    sources = EXAMPLE / "src"
    assert names == {path.relative_to(sources).as_posix() for path in sources.glob("no_friday/*.*")}
    assert "no_friday/py.typed" in names
    assert points.decode().split() == ["[seatrial]", "no_friday", "=", "no_friday.plugin"]


def test_its_own_tests_pass_beside_seatrial(run: Callable[..., str], python: Path, tmp_path: Path) -> None:
    """From a copy of its folder, with the installed package."""
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)

    assert re.search(r"^\d+ passed in ", run(python, "-Im", "pytest", "-q", cwd=tmp_path), re.MULTILINE)


def test_its_own_tests_notice_a_rule_of_another_day(python: Path, tmp_path: Path) -> None:
    """The same tests fail where the rule refuses on Thursdays."""
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    rule = tmp_path / "src" / "no_friday" / "rule.py"
    rule.write_text(rule.read_text("utf-8").replace("weekday() == 4", "weekday() == 3"), "utf-8")

    command = [str(python), "-Im", "pytest", "-q", "-o", "pythonpath=src"]
    result = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)

    assert result.returncode == 1
    assert "FAILED tests/test_no_friday.py::test_friday_refuses_an_opening_order" in result.stdout


def test_readme_shows_what_its_program_prints(python: Path) -> None:
    """A run on real bars, in a new process, under the three names."""
    result = execute(python, PROGRAM)

    assert result.returncode == 0, result.stderr
    assert result.stdout == OUTPUT


def test_rule_refuses_on_friday_and_lets_the_rest_trade(python: Path) -> None:
    """The refusal says that a rule objected, and which; the other three orders fill at the opens that follow."""
    _, run = told(python)

    [denied] = [event for event in run["events"] if event["event"] == "denied"]
    assert denied["order_id"] == "buy-fri"
    assert (denied["rejection"]["reason"], denied["rejection"]["rule"]) == ("risk_rule", "no_friday")
    _, thursday, friday, monday = run["opens"]
    assert run["prices"] == {"buy-wed": [thursday], "buy-thu": [friday], "buy-fri": [], "sell-fri": [monday]}


def test_orders_travel_as_the_latency_model_says(python: Path) -> None:
    """Each acceptance comes 20 ms after its submit, and 200 ms later for every loss; some order met one."""
    _, run = told(python)

    at = {(event["order_id"], event["event"]): event["timestamp"] for event in run["events"]}
    delays = [at[order_id, "accepted"] - sent for (order_id, kind), sent in at.items() if kind == "submitted"]
    assert [delay % 200_000_000 for delay in delays] == [20_000_000] * 3
    assert max(delays) > 200_000_000


def test_observer_hears_everything(python: Path) -> None:
    """Its lines are the run's events, one for one."""
    printed, run = told(python)

    assert [line.partition(" ")[2] for line in printed[:-1]] == run["heard"]
    assert run["dropped"] == []


def test_blocked_plugin_is_an_error_at_the_start(python: Path) -> None:
    """The rule is configured, so a run without it would be a silent pass; nothing has been printed yet."""
    result = execute(python, PROGRAM, **{DISABLE: "no_friday"})

    assert "UnknownPluginNameError: no risk rule 'no_friday' is installed" in last_line(result)
    assert result.stdout == ""


def test_uninstalled_plugin_is_an_error_at_the_start(without_plugin: Path) -> None:
    """The error says what is missing, and what there is."""
    result = execute(without_plugin, PROGRAM)

    assert "UnknownPluginNameError: no risk rule 'no_friday' is installed (on offer: " in last_line(result)
    assert "position_limit" in last_line(result)
    assert result.stdout == ""


def test_broken_neighbour_stops_nobody_and_is_named(python: Path, neighbour: Path) -> None:
    """Another distribution cannot be imported: the run is the same, and who failed can be read."""
    printed, run = told(python, beside(neighbour))

    assert printed == OUTPUT.splitlines()
    assert run["failures"] == ["torn (from torn-sails 2.0): RuntimeError: in rags"]


def test_broken_neighbour_is_named_where_a_name_is_missing(python: Path, neighbour: Path) -> None:
    """It might have known the name."""
    result = execute(python, beside(neighbour), **{DISABLE: "no_friday"})

    assert "; not loaded: torn (from torn-sails 2.0): RuntimeError: in rags" in last_line(result)


def test_tutorial_shows_the_rule_as_it_stands_in_the_distribution() -> None:
    """Its first block is the file, and the class has the ten lines that the title promises."""
    rule = (EXAMPLE / "src" / "no_friday" / "rule.py").read_text("utf-8")

    assert BLOCKS[0] == ("python", rule)
    assert len([line for line in rule.partition("class ")[2].splitlines() if line]) == 10
    assert len(TUTORIAL.splitlines()) <= 120


def test_tutorial_is_enough_to_make_a_distribution(
    run: Callable[..., str], without_plugin: Path, tmp_path: Path
) -> None:
    """Its blocks, put where it says, install in place of the example; its last program prints what it says."""
    rule, script, _, hook, metadata, last = [text for _, text in BLOCKS]
    package = tmp_path / "src" / "no_friday"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "rule.py").write_text(rule, "utf-8")
    (package / "plugin.py").write_text(f"from no_friday.rule import NoFriday\n{hook}", "utf-8")
    (tmp_path / "pyproject.toml").write_text(metadata, "utf-8")
    run(without_plugin, *PIP, "install", ".", cwd=tmp_path)

    result = execute(without_plugin, script + last)

    assert result.stdout == "no_friday\n", result.stderr
