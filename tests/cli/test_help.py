"""Help that teaches, examples and pages that work, completion, and a quick start."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from seatrial.cli.main import COMMANDS, main

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.testing import Result

PAGE = Path(__file__).resolve().parents[2] / "docs" / "command_line.md"
HEAVY = ("numpy", "pandas", "pyarrow", "plotly", "rich", "seatrial.engine.native", "seatrial.data", "seatrial.report")


@pytest.fixture
def at_sea(here: Path, seatrial: Callable[..., Result]) -> None:
    """Stand where `seatrial new` and one run have been done, as the examples do."""
    (here / "buyer.py").unlink()
    (here / "voyage.toml").unlink()
    assert seatrial("new").exit_code == 0
    assert seatrial("run", "session.toml").exit_code == 0


def examples(text: str) -> list[str]:
    """Return the commands at the end of a help text."""
    _, _, rest = text.partition("Examples:\n")
    return [line.strip() for line in rest.splitlines() if line.strip()]


# -- help --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ()])
def test_help_names_every_command(arguments: tuple[str, ...], seatrial: Callable[..., Result]) -> None:
    """`seatrial --help`, and `seatrial` alone, name each command with what it does."""
    result = seatrial(*arguments)

    assert (result.exit_code, result.stderr) == (0, "")
    assert all(
        re.search(rf"^  {name} +{re.escape(text)}$", result.stdout, re.MULTILINE)
        for name, (_, text) in COMMANDS.items()
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_command_is_what_the_list_says(name: str) -> None:
    """A command is found under its name, and has words for each of its options."""
    command = main.get_command(click.Context(main), name)

    assert command is not None
    assert command.name == name
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert all(one.help and one.help.endswith(".") for one in options)


@pytest.mark.usefixtures("at_sea")
@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_examples_of_help_work(name: str, here: Path, seatrial: Callable[..., Result]) -> None:
    """Each example of a command's help does what it says, after `seatrial new` and one run."""
    shown = examples(seatrial(*name.split(), "--help").stdout)
    assert shown

    for line in shown:
        if "--resume" in line:
            continue  # what it needs is an interrupted run: test_resume.py makes some
        words = shlex.split(line.partition(" > ")[0])
        if words[1] == "new":
            for path in (here / "session.toml", here / "strategy.py", here / "first.toml"):
                path.unlink(missing_ok=True)
        result = seatrial(*words[1:])
        assert (words[0], result.exit_code, result.stderr) == ("seatrial", 0, "")
        assert result.stdout


def test_version(seatrial: Callable[..., Result]) -> None:
    """`--version` says whose version it is."""
    assert seatrial("--version").stdout == f"seatrial {version('seatrial')}\n"


def test_module_is_the_command() -> None:
    """`python -m seatrial` is the same as `seatrial`."""
    result = subprocess.run(
        [sys.executable, "-Im", "seatrial", "--version"], check=True, capture_output=True, text=True
    )

    assert result.stdout == f"seatrial {version('seatrial')}\n"


# -- the page ----------------------------------------------------------------------------------------------------------


def matches(shown: str, printed: str) -> bool:
    """Return whether output is what a page shows, which may leave out lines, or the end of one, as an ellipsis."""
    pattern = "".join(".*" if part == "…" else re.escape(part) for part in re.split("(…)", shown))
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


def test_page_shows_what_happens(here: Path, seatrial: Callable[..., Result]) -> None:
    """The commands of the page, one after the other in an empty folder, print what the page shows."""
    (here / "buyer.py").unlink()
    (here / "voyage.toml").unlink()
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    steps = [step.partition("\n") for block in blocks for step in block.split("$ ")[1:]]
    assert len(steps) >= 7

    for command, _, shown in steps:
        result = seatrial(*shlex.split(command)[1:])
        assert matches(shown, result.output), (command, result.output)


def test_checker_notices_a_page_that_shows_something_else() -> None:
    """An ellipsis stands for anything, every other word for itself."""
    assert matches("run …\nend\n", "run 1\nmore\nend\n")
    assert not matches("run …\nend\n", "run 1\nends\n")


def test_page_shows_the_line_of_an_interrupt() -> None:
    """What the page says about an interrupt is what test_resume.py sees, in shape."""
    line = re.search(r"^seatrial: interrupted at (.*)$", PAGE.read_text("utf-8"), re.MULTILINE)

    assert line is not None
    pattern = r"\d{4}-\d\d-\d\dT[\d:.]+Z, after row \d+; go on with: seatrial run session.toml --resume session-1"
    assert re.fullmatch(pattern, line[1])


def test_page_names_every_command() -> None:
    """The page leaves out no command and no exit code."""
    page = PAGE.read_text("utf-8")

    assert [name for name in COMMANDS if f"`{name}" not in page] == []
    assert all(f"| {code} |" in page for code in (0, 2, 70, 130))


# -- completion and start-up -------------------------------------------------------------------------------------------


def completions(line: str) -> list[str]:
    """Return what a shell would offer at the end of a line."""
    words = line.split(" ")
    environment = {"_SEATRIAL_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    result = CliRunner().invoke(main, env=environment)
    return [one.partition(",")[2] for one in result.stdout.splitlines() if one]


@pytest.mark.usefixtures("at_sea")
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("seatrial or", ["orders"]),
        ("seatrial run session.toml --latency ", ["instant", "fast", "normal", "slow"]),
        ("seatrial run session.toml --engine n", ["native", "nautilus"]),
        ("seatrial run session.toml --resume sess", ["session-1"]),
        ("seatrial orders ", ["latest", "session-1"]),
        ("seatrial why latest S-10", ["S-10"]),
        ("seatrial why nothing S-1", []),
        ("seatrial orders latest --status fil", ["filled"]),
    ],
)
def test_shell_completes(line: str, offered: list[str]) -> None:
    """Commands, profiles, engines, runs and orders are offered by their names."""
    assert completions(line) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_has_a_script_for_each_shell(shell: str) -> None:
    """The lines that the page gives for start-up files print a script."""
    environment = {**os.environ, "_SEATRIAL_COMPLETE": f"{shell}_source"}
    result = subprocess.run(
        [sys.executable, "-Im", "seatrial"], check=True, capture_output=True, text=True, env=environment
    )

    assert "_SEATRIAL_COMPLETE" in result.stdout
    assert f"_SEATRIAL_COMPLETE={shell}_source seatrial" in PAGE.read_text("utf-8")


def loaded_after(*arguments: str) -> set[str]:
    """Return which heavy modules a new interpreter has loaded once a command line has been run."""
    program = (
        "import sys\nfrom seatrial.cli.main import main\nsys.argv[1:] = sys.argv[1:]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\nprint('loaded:', *sys.modules)"
    )
    command = [sys.executable, "-I", "-c", program, *arguments]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    loaded = set(result.stdout.rpartition("loaded:")[2].split())
    return {name for name in HEAVY if name in loaded}


def test_help_loads_nothing_heavy() -> None:
    """`seatrial --help` loads no engine, no tape, and none of the heavy libraries."""
    assert loaded_after("--help") == set()


def test_checker_notices_what_is_heavy() -> None:
    """A command that prints a table has loaded the library for it."""
    assert "rich" in loaded_after("engines")
