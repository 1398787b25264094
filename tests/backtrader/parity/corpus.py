"""The corpus: every script by its name, and the scripts that Backtrader itself cannot run to their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.backtrader.parity import scripts_of_accounts, scripts_of_orders, scripts_of_runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.backtrader.parity.recorder import Script

__all__ = ["RAISING", "SCRIPTS"]

SCRIPTS: Mapping[str, Script] = {**scripts_of_orders.SCRIPTS, **scripts_of_accounts.SCRIPTS, **scripts_of_runs.SCRIPTS}

_IN_STEP = {"one feed", "two feeds"}

RAISING = {
    "failed on the way",
    "history of a fund, vectorised",  # the engine keeps no time then
    "resampled too, live",
    *(name for name in SCRIPTS if name.startswith("no cash")),
    # Under exactbars=1 a feed without a new bar holds none at all, and the broker looks at it all the same.
    *(f"{feed}, least memory" for feed in scripts_of_runs.FEEDS.keys() - _IN_STEP),
    *(name for name in SCRIPTS if "stubborn, least memory" in name),
    "one has gaps, least memory, by name",
}
"""Scripts that raise with the stock broker. All others have to end well: what raises early compares little."""
