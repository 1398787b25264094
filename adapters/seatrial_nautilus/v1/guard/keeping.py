"""What a guard leaves on disk: every event as it happens, and what has to outlast a restart.

`DIRECTORY/{simulator_id}/events.jsonl` is the event log, a line each, only ever added to. Beside it lie the newest
checkpoints, in the common format: the latches, the operator's word, the day, the peak and the rules' states. Orders and
positions are the venue's to tell.
"""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from seatrial.contracts.checkpoint import AccountSummary, ExecutionCheckpoint, SimulatorConfig
from seatrial.contracts.events import encode_events
from seatrial.contracts.latency import LATENCY_INSTANT
from seatrial.contracts.venue import VenueConfig
from seatrial.errors import CheckpointError
from seatrial.gate.keeping import as_json
from seatrial.gate.observers import ObserversState
from seatrial.gate.rules import storable
from seatrial.gate.state import GateState
from seatrial.store.checkpoints import CheckpointManager

if TYPE_CHECKING:
    from decimal import Decimal

    from seatrial.contracts.events import Event
    from seatrial.contracts.risk import RiskConfig
    from seatrial.gate.account import Account
    from seatrial.gate.gate import ExecutionGate

__all__ = ["Before", "Keeper", "freeze"]

_JOURNAL = "events.jsonl"
_KEPT = 3
"""How many checkpoints stay."""
_PIECE = 65_536


class _Guarded(msgspec.Struct, frozen=True):
    """Whose account a checkpoint is about, and the orders that were asked to end and had not been answered."""

    account_id: str
    cancelling: tuple[str, ...]


class Before(msgspec.Struct, frozen=True):
    """What an earlier session left: its gate, and the orders whose cancel nobody answered."""

    gate: GateState
    cancelling: tuple[str, ...]


def freeze(
    gate: ExecutionGate,
    account: Account,
    risk: RiskConfig | None,
    *,
    simulator_id: str,
    account_id: str,
    began: Decimal,
) -> ExecutionCheckpoint:
    """Return what has to outlast a restart; orders and events are in the journal.

    :raises InvalidConfigError: for a rule's state that cannot be written.
    """
    cancelling = tuple([order.order_id for order in gate.client.pending.values() if order.pending_cancels])
    return ExecutionCheckpoint(
        simulator_id=simulator_id,
        timestamp=gate.now,
        config=SimulatorConfig(
            simulator_id=simulator_id,
            seed=0,
            initial_cash=began,
            latency=LATENCY_INSTANT,
            venue=VenueConfig(),
            risk=None if risk is None else storable(risk),
        ),
        account=AccountSummary(
            initial_cash=began,
            cash=account.cash,
            equity=account.equity,
            positions=dict(account.positions),
            trading_state=gate.trading_state,
        ),
        pending=(),
        completed=(),
        originals=(),
        events=(),
        gate=as_json(gate.snapshot()),
        engine=as_json(_Guarded(account_id, cancelling)),
        observers=as_json(ObserversState({}, {})),
    )


def _before(checkpoint: ExecutionCheckpoint, account_id: str) -> Before:
    """Return what a checkpoint holds.

    :raises CheckpointError: for one of another account, or of no guard.
    """
    try:
        guarded = msgspec.json.decode(checkpoint.engine, type=_Guarded)
        state = msgspec.json.decode(checkpoint.gate, type=GateState)
    except msgspec.DecodeError as error:
        problem = f"it is of no guarded account ({error}); give the guard a simulator_id of its own"
        raise CheckpointError(checkpoint.simulator_id, problem) from None
    if guarded.account_id != account_id:
        problem = f"it is of account {guarded.account_id}, not {account_id}; give each account its own simulator_id"
        raise CheckpointError(checkpoint.simulator_id, problem)
    return Before(state, guarded.cancelling)


class Keeper:
    """One guard's files."""

    def __init__(self, directory: str, simulator_id: str) -> None:
        """Touch nothing yet."""
        self._manager = CheckpointManager(directory)
        self._simulator_id = simulator_id
        self._path = Path(directory) / simulator_id / _JOURNAL
        self._kept: deque[Path] = deque()
        self._journal = -1

    def load(self, account_id: str) -> Before | None:
        """Return what the session before left; `None` where there has been none.

        :raises CheckpointError: where there has been one, and it is another account's, or not to be believed.
        """
        there = self._manager.list_checkpoints(self._simulator_id)
        if not there:
            return None
        self._kept.extend(entry.path for entry in reversed(there))
        return _before(self._manager.load_checkpoint(self._simulator_id), account_id)

    def note(self, event: Event) -> None:
        """Add an event to the journal, where it survives the process from now on.

        :raises OSError: when it cannot be written.
        """
        if self._journal < 0:
            self._journal = _open(self._path)
        line = memoryview(encode_events((event,)))
        while line:
            line = line[os.write(self._journal, line) :]

    def save(self, checkpoint: ExecutionCheckpoint) -> None:
        """Write a checkpoint, and wait until the disk has it and all events before it.

        :raises CheckpointError: when it cannot be written, or somebody else writes here.
        :raises OSError: when the journal cannot be.
        """
        if self._journal >= 0:
            os.fsync(self._journal)
        self._kept.append(self._manager.save_checkpoint(checkpoint))
        while len(self._kept) > _KEPT:
            self._kept.popleft().unlink(missing_ok=True)

    def close(self) -> None:
        """Let others write."""
        if self._journal >= 0:
            os.close(self._journal)
            self._journal = -1
        self._manager.close()


def _open(path: Path) -> int:
    """Return a file to add lines to; what a crash has left of a line is taken away."""
    journal = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with path.open("r+b") as file:
        end = size = file.seek(0, os.SEEK_END)
        whole = 0
        while end and not whole:
            begin = max(0, end - _PIECE)
            file.seek(begin)
            whole = file.read(end - begin).rfind(b"\n") + 1
            end = begin
        if end + whole < size:
            file.truncate(end + whole)
    return journal
