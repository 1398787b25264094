"""Watches a run: ends it after a row when somebody interrupts it, and shows how far it is.

A bar with the time that is left appears on stderr, only where that is a terminal, and only once a run has taken longer
than a second.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from seatrial.contracts.market import MarketEvent

__all__ = ["Watch"]

_PATIENCE = 1.0  # seconds without a bar
_EVERY = 0.1  # seconds between two looks of the bar
_ROWS = 0xFF  # the clock is read once in so many rows
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Watch:
    """The monitor of one run; a context in which SIGINT and SIGTERM end it after the row that is being done.

    A second one ends the program at once.
    """

    def __init__(
        self,
        size: Callable[[], int | None],
        *,
        visible: bool | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask `size` for the number of rows, should a bar be shown; by default it is where stderr is a terminal."""
        self._size = size
        self._visible = sys.stderr.isatty() if visible is None else visible
        self._clock = clock
        self._began = clock()
        self._shown = self._began
        self._bar: Any = None
        self._task: Any = None
        self._before: dict[signal.Signals, Any] = {}
        self.interrupted = False
        """Whether the run was asked to end."""

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._heard) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._bar is not None:
            self._bar.stop()

    def row(self, event: MarketEvent, count: int) -> bool:  # noqa: ARG002 - a monitor's signature
        """Hear of each row once it is done; return whether to go on."""
        if self._visible and not count & _ROWS:
            self._show(count)
        return not self.interrupted

    def _heard(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a handler's signature
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True

    def _show(self, count: int) -> None:
        now = self._clock()
        if now - self._began < _PATIENCE or now - self._shown < _EVERY:
            return
        self._shown = now
        if self._bar is None:
            self._bar = _bar()
            self._task = self._bar.add_task("rows", total=self._size(), completed=count)
            self._bar.start()
        self._bar.update(self._task, completed=count)


def _bar() -> Any:
    progress = import_module("rich.progress")
    console = import_module("rich.console").Console(stderr=True)
    return progress.Progress(
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("rows, left:"),
        progress.TimeRemainingColumn(),
        console=console,
        transient=True,
    )
