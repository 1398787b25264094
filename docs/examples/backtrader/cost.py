"""What the evening's delay and the fees cost a Backtrader script, from the record that its broker kept."""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import as_file, files
from typing import Any

import backtrader
from rich.console import Console

from seatrial import LatencyConfig
from seatrial.report.summary import summarize
from seatrial.report.table import summary_table
from seatrial_backtrader import SeatrialBroker

bt: Any = backtrader  # it comes without types


class Crossing(bt.Strategy):  # type: ignore[misc]
    """Holds nine tenths of the account while the average of 20 days is above that of 100."""

    def __init__(self) -> None:
        """Begin without orders."""
        self.cross = bt.ind.CrossOver(bt.ind.SMA(period=20), bt.ind.SMA(period=100))

    def next(self) -> None:
        """Buy on a cross upwards, sell on a cross downwards."""
        if self.cross[0] > 0:
            self.buy(size=int(0.9 * self.broker.getvalue() / self.data.close[0]))
        elif self.cross[0] < 0 and self.position:
            self.close()


def main() -> None:
    """Run the strategy over the bundled bars, and print the summary of its record."""
    evening = LatencyConfig(submission_latency=timedelta(hours=18))
    cerebro = bt.Cerebro(stdstats=False)
    cerebro.setbroker(SeatrialBroker(cash=100_000, latency_config=evening, simulator_id="IBM", record=True))
    cerebro.broker.setcommission(commission=0.001)
    cerebro.addstrategy(Crossing)
    with as_file(files("seatrial.data") / "ibm_daily.csv") as path:
        cerebro.adddata(bt.feeds.GenericCSVData(dataname=str(path), dtformat="%Y-%m-%d", openinterest=-1))
        cerebro.run()
    Console(width=80).print(summary_table([summarize(cerebro.broker.run_record())]))


if __name__ == "__main__":
    main()
