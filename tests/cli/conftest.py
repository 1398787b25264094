"""What the tests of the command line share: an empty folder to stand in, and the command itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from seatrial.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

BUYER = """\
import os
import signal


class Buyer:
    '''Buys ten every `every` rows up to a hundred; meets its end after `dies` rows, if a file called storm is there.'''

    def __init__(self, every=50, dies=0, by="SIGINT"):
        self.every, self.dies, self.by = every, dies, by
        self.seen = 0

    def on_market(self, ctx, event):
        self.seen += 1
        if self.seen % self.every == 0 and ctx.position(event.symbol) < 100:
            ctx.buy(event.symbol, 10)
        if self.seen == self.dies and os.path.exists("storm"):
            os.remove("storm")
            os.kill(os.getpid(), getattr(signal, self.by))

    def save_state(self):
        return self.seen

    def load_state(self, value):
        self.seen = value
"""
SESSION = """\
[session]
seed = 3

[tape]
sample = "ibm_daily"

[strategy]
path = "buyer.py:Buyer"

[latency]
profile = "normal"
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder that has a strategy `buyer.py` and a session `voyage.toml` which uses it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEATRIAL_RUNS", raising=False)
    (tmp_path / "buyer.py").write_text(BUYER, "utf-8")
    (tmp_path / "voyage.toml").write_text(SESSION, "utf-8")
    return tmp_path


@pytest.fixture
def seatrial() -> Callable[..., Result]:
    """Return what runs the command with arguments, and gives its exit code and what it printed."""

    def seatrial(*arguments: str | Path) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return seatrial
