"""A live session is opened anew, or goes on from the newest checkpoint of its simulator id.

:raises CheckpointError: for a checkpoint of a session that was set up otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seatrial.contracts.risk import NamedRule
from seatrial.errors import CheckpointError
from seatrial.store.checkpoints import CheckpointManager
from seatrial.venue.simulator import ExecutionSimulator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.contracts.market import Instrument
    from seatrial_nautilus.v2.config import SeatrialExecClientConfig

__all__ = ["open_session"]

_SETTINGS = ("seed", "initial_cash", "latency", "venue", "risk", "instruments")


def open_session(
    config: SeatrialExecClientConfig, instruments: Iterable[Instrument]
) -> tuple[ExecutionSimulator, CheckpointManager | None]:
    """Return the session, and who keeps it where a directory is configured."""
    simulator = ExecutionSimulator(
        initial_cash=config.initial_cash,
        latency_config=config.latency,
        risk_config=config.risk,
        simulator_id=config.simulator_id,
        seed=config.seed,
        instruments=tuple(instruments),
        venue_config=config.venue_config,
    )
    if config.checkpoint_directory is None:
        return simulator, None
    manager = CheckpointManager(config.checkpoint_directory)
    if not manager.list_checkpoints(config.simulator_id):
        return simulator, manager
    checkpoint = manager.load_checkpoint(config.simulator_id)
    for name in _SETTINGS:
        before, now = getattr(checkpoint.config, name), getattr(simulator.config, name)
        if before != now:
            problem = f"the session began with {name}={before!r}, not {now!r}; go on as it began"
            raise CheckpointError(config.simulator_id, problem)
    rules = () if config.risk is None else config.risk.rules
    objects = tuple([rule for rule in rules if not isinstance(rule, NamedRule | str)])
    latency = config.latency if checkpoint.config.latency is None else None
    return manager.restore_simulator(checkpoint, rules=objects, latency_config=latency), manager
