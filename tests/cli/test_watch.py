"""The watch of a run: a bar on a terminal when a run is long, and an end when somebody asks for it."""

from __future__ import annotations

import os
import re
import signal
from decimal import Decimal

import pytest

from seatrial import Trade
from seatrial.cli.watch import Watch

ROW = Trade(1, "X", Decimal(1))
EVERY = 256


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_short_run_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """A bar would only flicker in a run of less than a second."""
    clock = Clock()
    with Watch(lambda: 1_000, visible=True, clock=clock) as watch:
        clock.now = 0.9
        assert watch.row(ROW, EVERY)

    assert capsys.readouterr() == ("", "")


def test_long_run_shows_how_far_it_is(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second a bar says how many rows are done, of how many, on stderr alone."""
    monkeypatch.setenv("FORCE_COLOR", "1")  # makes the library draw without a terminal
    monkeypatch.setenv("TERM", "xterm")
    clock = Clock()
    with Watch(lambda: 1_024, visible=True, clock=clock) as watch:
        clock.now = 1.5
        watch.row(ROW, EVERY)
        clock.now = 2.0
        watch.row(ROW, 2 * EVERY)

    out, err = capsys.readouterr()
    assert out == ""
    assert "512/1024" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", err)


def test_without_a_terminal_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """A log file gets no bar, however long the run."""
    clock = Clock()
    with Watch(lambda: 1_000, clock=clock) as watch:
        clock.now = 100.0
        watch.row(ROW, EVERY)

    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_run_after_the_row(number: signal.Signals) -> None:
    """A run that is asked to end hears of it when its row is done; afterwards signals mean what they meant before."""
    before = signal.getsignal(number)
    with Watch(lambda: None) as watch:
        assert watch.row(ROW, 1)
        os.kill(os.getpid(), number)
        assert not watch.row(ROW, 2)

    assert watch.interrupted
    assert signal.getsignal(number) is before


def test_second_signal_ends_everything() -> None:
    """Whoever asks twice does not want to wait for the row."""
    with Watch(lambda: None):
        os.kill(os.getpid(), signal.SIGINT)

        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
