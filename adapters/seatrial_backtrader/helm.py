"""The strategy that Backtrader runs: it turns Backtrader's rounds into steps of a run."""

from __future__ import annotations

from typing import Any

import backtrader as bt

__all__ = ["Helm"]


class Helm(bt.Strategy):
    """Lets the run of a scenario hear of every round."""

    params: Any = (("run", None), ("wheel", None))

    def prenext(self) -> None:
        """Hear of a round before all feeds have shown something."""
        self.next()

    def nextstart(self) -> None:
        """Hear of the first round in which all feeds have."""
        self.next()

    def next(self) -> None:
        """Hear of a round."""
        if self.p.wheel.rows and not self.p.run.tell(self.p.wheel.rows):
            self.env.runstop()

    def stop(self) -> None:
        """Hear that the tape is over; the analyzers do after this."""
        self.p.run.finish()
