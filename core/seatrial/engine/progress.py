"""How far a run had come, as a checkpoint keeps it, and whether what is to go on is that run.

A run is known by its engine, its strategy, what both were given, and by the rows and instructions that are over: of
these a digest is kept. What comes after the checkpoint may differ.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import msgspec

from seatrial.engine.recording import RecorderState
from seatrial.errors import CheckpointError, InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from seatrial.contracts.checkpoint import ExecutionCheckpoint, SimulatorConfig
    from seatrial.contracts.market import MarketEvent
    from seatrial.contracts.scenario import Instruction, Scenario, Tape

__all__ = ["Digest", "Origin", "Progress", "check_same", "read_again", "stored_progress"]

_encode = msgspec.msgpack.Encoder().encode


class Digest:
    """The SHA-256 of rows or instructions in their order, whose memory does not grow with them."""

    def __init__(self, values: Iterable[MarketEvent | Instruction] = ()) -> None:
        """Begin with these."""
        self._hash = sha256()
        for value in values:
            self.add(value)

    def add(self, value: MarketEvent | Instruction) -> None:
        """Take one more into account."""
        self._hash.update(_encode(value))

    def __str__(self) -> str:
        return self._hash.hexdigest()


class Origin(msgspec.Struct, frozen=True):
    """What a run began with that its simulator knows nothing of; a strategy's file is known by its name alone."""

    engine: str
    engine_params: dict[str, Any]
    strategy: str | None
    params: dict[str, Any]
    strategy_id: str

    @classmethod
    def of(cls, scenario: Scenario, engine: str) -> Origin:
        """Return what `scenario` begins with on this engine.

        :raises InvalidConfigError: for parameters that are no JSON values, and so could not be compared.
        """
        given = scenario.strategy
        params = {} if given is None else _plain("params", given.params)
        path, strategy_id = (None, "S") if given is None else (PurePath(given.path).name, given.strategy_id)
        return cls(engine, _plain("engine_params", scenario.engine_params), path, params, strategy_id)


class Progress(msgspec.Struct, frozen=True):
    """What a checkpoint keeps of a run beside its simulator."""

    started: int
    sent: int
    scripted: int
    recorder: RecorderState
    strategy: Any
    origin: Origin
    read: str
    told: str
    warnings: tuple[str, ...]


def stored_progress(checkpoint: ExecutionCheckpoint, path: str, scenario: Scenario, origin: Origin) -> Progress:
    """Return how far the run had come from which the checkpoint in `path` is.

    :raises CheckpointError: where it was another run's, naming the first that differs.
    """
    try:
        progress = msgspec.json.decode(checkpoint.strategy, type=Progress)
    except msgspec.DecodeError as error:
        raise CheckpointError(path, f"it is of no run of this engine ({error})") from None
    check_same(path, progress.origin, origin)
    if str(Digest(scenario.script[: progress.scripted])) != progress.told:
        problem = f"the first {progress.scripted} instructions of the script, which were carried out, are others"
        raise CheckpointError(path, f"{problem} now; resume it with the script it began with")
    return progress


def read_again(rows: Iterator[MarketEvent], tape: Tape, path: str, progress: Progress) -> Digest:
    """Read up to where the run was, and return the digest to go on with.

    :raises CheckpointError: naming the tape, where its rows are not those that the run read.
    """
    found, count = Digest(), 0
    while count < progress.recorder.rows and (row := next(rows, None)) is not None:
        found.add(row)
        count += 1
    if str(found) != progress.read:
        had = f"the run had read {progress.recorder.rows:,} rows"
        now = "which are others" if count == progress.recorder.rows else f"which has {count:,}"
        raise CheckpointError(path, f"{had} of {_name(tape)}, {now} now; resume it with the tape it began with")
    return found


def check_same(path: str, before: Origin | SimulatorConfig, now: Origin | SimulatorConfig) -> None:
    """Refuse to go on under other settings than the run began with.

    :raises CheckpointError: naming the first that differs.
    """
    for field in now.__struct_fields__:
        old, new = getattr(before, field), getattr(now, field)
        if old != new:
            raise CheckpointError(path, f"the run began with {field}={old!r}, not {new!r}; resume it as it began")


def _name(tape: Tape) -> str:
    more = f" and {len(tape.files) - 1} more files" if len(tape.files) > 1 else ""
    return f"{tape.files[0].path}{more}" if tape.files else tape.sample or "a tape that was given row by row"


def _plain(setting: str, params: dict[str, Any]) -> dict[str, Any]:
    try:
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(params))
    except (TypeError, ValueError, RecursionError) as error:
        problem = f"a run with checkpoints takes JSON values ({error}); give dicts, lists, str and numbers"
        raise InvalidConfigError(setting, params, problem) from None
    return plain
