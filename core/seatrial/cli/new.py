"""`seatrial new`: a session and a strategy to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from seatrial.cli.problems import SessionError
from seatrial.cli.words import examples
from seatrial.store.whole import write_whole

__all__ = ["SESSION", "STRATEGY", "new"]

SESSION = """\
# A session: what trades, on which data, by which strategy, under which delays, limits and costs.
# Run it with: seatrial run {session}

[session]
seed = 7                        # the same seed draws the same delays
initial_cash = 100_000          # in USD here: prices are in the instrument's currency
checkpoint_every = "never"      # or "event", "bar", or seconds of simulated time: where a killed run goes on
# stop = 2005-01-01T00:00:00Z   # end early

[tape]
sample = "ibm_daily"            # 13 years of daily bars that come with seatrial; your own data instead:
# [[tape.files]]
# path = "prices.csv"           # relative to this file; .csv, .csv.gz or .parquet
# kind = "bars"                 # date or ts, open, high, low, close, volume; also "quotes" and "trades"
# symbol = "ACME"               # where the file has no column for it

# [[instruments]]               # what trades in your own data; the sample knows its own
# symbol = "ACME"
# tick_size = 0.01
# lot_size = 1
# calendar = {{ zone = "America/New_York", opens = "09:30", closes = "16:00", days = ["mon", "tue"] }}

[strategy]
path = "{strategy}:Crossover"
params = {{ fast = 20, slow = 100, quantity = 100 }}

[latency]
profile = "normal"              # instant, fast, normal or slow; `seatrial latency-models` shows them
# fill = {{ distribution = "uniform", low = "100ms", high = "2s" }}  # single legs by themselves

[risk]
position_limit = {{ max_shares = 150 }}
drawdown_limit = {{ max_total_drawdown_pct = 20 }}
# rules = [{{ name = "my_rule", params = {{ limit = 5 }} }}]          # `seatrial rules` lists what is installed

[costs]
per_share = 0.005               # USD
minimum = 1                     # USD per order
slippage_bps = 1
"""

STRATEGY = '''\
"""Buys when the short mean of closes rises above the long one, and sells when it falls below."""

from seatrial.engine.strategy import Strategy


class Crossover(Strategy):
    def __init__(self, fast, slow, quantity):
        self.fast, self.slow, self.quantity = fast, slow, quantity
        self.closes = []

    def on_market(self, ctx, bar):
        self.closes = [*self.closes, str(bar.close)][-self.slow :]
        if len(self.closes) < self.slow or ctx.orders:
            return
        closes = [float(close) for close in self.closes]
        rising = sum(closes[-self.fast :]) / self.fast > sum(closes) / self.slow
        held = ctx.position(bar.symbol)
        if rising and not held:
            ctx.buy(bar.symbol, self.quantity)
        elif held and not rising:
            ctx.sell(bar.symbol, held)

    def save_state(self):
        return self.closes

    def load_state(self, value):
        self.closes = value
'''


@click.command(epilog=examples("seatrial new", "seatrial new first.toml"))
@click.argument("file", default="session.toml", type=click.Path(path_type=Path, dir_okay=False))
def new(file: Path) -> None:
    """Write a commented session FILE (session.toml unless given) and a strategy beside it, which run as they are."""
    if file.suffix != ".toml":
        raise SessionError(str(file), "", f"its name does not end in .toml; give one such as {file.stem}.toml")
    strategy = file.with_name("strategy.py")
    for folder in file.parents:
        if folder.exists() and not folder.is_dir():
            raise SessionError(str(folder), "", f"it is a file, so {file} cannot lie in it; give another folder")
    if file.exists():
        raise SessionError(str(file), "", "it is there already; give another name, or remove it")
    if strategy.exists():
        problem = f"it is there already, and {file.name} comes with one of that name; name another folder"
        raise SessionError(
            str(strategy), "", f"{problem}, for example {file.parent / 'first' / file.name}, or remove it"
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, SESSION.format(session=file, strategy=strategy.name).encode())
    write_whole(strategy, STRATEGY.encode())
    click.echo(f"wrote {file} and {strategy}; now: seatrial run {file}")
