"""The corpus: every script by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.backtrader.parity import scripts_of_accounts, scripts_of_orders, scripts_of_runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.backtrader.parity.recorder import Script

__all__ = ["SCRIPTS"]

SCRIPTS: Mapping[str, Script] = {**scripts_of_orders.SCRIPTS, **scripts_of_accounts.SCRIPTS, **scripts_of_runs.SCRIPTS}
