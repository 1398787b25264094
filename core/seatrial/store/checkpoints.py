"""Checkpoints: taken from a simulator, written whole, read back, and turned into a simulator that goes on.

checkpoints/{simulator_id}/latest.json
checkpoints/{simulator_id}/{simulated UTC time}-{sequence}.json
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from seatrial.contracts._expect import expect
from seatrial.contracts.checkpoint import ExecutionCheckpoint
from seatrial.store.codec import Encoder, decode
from seatrial.store.files import CheckpointEntry, CheckpointFiles
from seatrial.store.migrations import FORMAT, migrated
from seatrial.venue.simulator import ExecutionSimulator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from seatrial.contracts.latency import LatencyConfig
    from seatrial.contracts.plugin import Observer
    from seatrial.plugins import Plugins

__all__ = ["CheckpointManager"]


class CheckpointManager:
    """The checkpoints of any number of simulators under one directory.

    One manager writes for a simulator at a time: the first save takes a lock, held until :meth:`close`, the end of a
    `with` block, or the end of the process. Reading takes none.
    """

    def __init__(self, directory: str | Path) -> None:
        """Touch nothing yet."""
        self._files = CheckpointFiles(directory, formats=FORMAT)
        self._encoders: dict[str, Encoder] = {}

    def create_checkpoint(self, simulator: ExecutionSimulator, strategy: object = None) -> ExecutionCheckpoint:
        """Freeze a simulator as it stands, with what `strategy.save_state()` returns where one is given.

        See :meth:`~seatrial.venue.simulator.ExecutionSimulator.snapshot` for when this may be done.

        :raises InvalidConfigError: for a state that is no JSON value.
        """
        expect("simulator", simulator, ExecutionSimulator, "an ExecutionSimulator")
        return simulator.snapshot(strategy)

    def save_checkpoint(self, checkpoint: ExecutionCheckpoint) -> Path:
        """Write a checkpoint, wait until the disk has it, and return its path.

        It is written whole or not at all, readable by this user alone. Orders and events written before are not encoded
        again.

        :raises CheckpointError: when it cannot be written; what was there before is as it was.
        :raises CheckpointLockedError: when somebody else writes for this simulator.
        """
        expect("checkpoint", checkpoint, ExecutionCheckpoint, "an ExecutionCheckpoint, as create_checkpoint returns")
        encoder = self._encoders.setdefault(checkpoint.simulator_id, Encoder())
        return self._files.write(checkpoint.simulator_id, checkpoint.timestamp, FORMAT, encoder.encode(checkpoint))

    def load_checkpoint(self, simulator: str | Path) -> ExecutionCheckpoint:
        """Return the newest good checkpoint of a simulator id, or the one in the file of a `Path`.

        A file that is torn or was tampered with is passed over, with a warning that names it and the one used instead.

        :raises CheckpointError: when there is none that can be believed.
        :raises CheckpointVersionError: when a newer version of seatrial wrote it.
        """
        if isinstance(simulator, Path):
            path: object = simulator
            header, body = self._files.read(simulator)
        else:
            path = self._files.root / str(simulator)
            header, body = self._files.newest(simulator)
        return decode(path, header.simulator_id, migrated(path, body, header.format))

    def restore_simulator(
        self,
        checkpoint: ExecutionCheckpoint,
        *,
        rules: Iterable[object] = (),
        observers: Iterable[Observer] = (),
        latency_config: LatencyConfig | None = None,
        plugins: Plugins | None = None,
    ) -> ExecutionSimulator:
        """Return a new simulator that goes on where the checkpoint was taken, to the byte.

        What was handed over as an object has to be handed over again; names are looked up in `plugins`, the installed
        ones unless given. A strategy takes its own state back: `strategy.load_state(checkpoint.strategy_state)`.

        :raises InvalidConfigError: naming what is missing, or does not fit.
        """
        return ExecutionSimulator.from_checkpoint(
            checkpoint, rules=rules, observers=observers, latency_config=latency_config, plugins=plugins
        )

    def list_checkpoints(self, simulator_id: str | None = None) -> tuple[CheckpointEntry, ...]:
        """Return what is there, newest first, of one simulator or of all; nothing is read or checked."""
        return self._files.entries(simulator_id)

    def close(self) -> None:
        """Let others write."""
        self._files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
