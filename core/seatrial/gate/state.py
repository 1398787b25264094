"""A gate as stored."""

from __future__ import annotations

import msgspec

from seatrial.contracts.orders import Order
from seatrial.gate.account import AccountState
from seatrial.gate.controls import ControlsState
from seatrial.gate.risk import RiskState
from seatrial.gate.stake import ExposureState
from seatrial.gate.wire import WireState

__all__ = ["GateState"]


class GateState(msgspec.Struct, frozen=True):
    """A gate as stored, its orders and events apart.

    `unheard` are the orders of the log's last events, which not everybody has heard; `hearing` says that they were
    being told. `reported` says how many of its last executions nobody has fetched, `until` how far the call under way
    is to deliver, -1 where none is.
    """

    now: int
    boundary: int | None
    until: int
    flattened: int
    closing: dict[str, str]
    judging: bool
    reported: int
    hearing: bool
    unheard: tuple[Order | None, ...]
    wire: WireState
    controls: ControlsState
    account: AccountState | None
    exposure: ExposureState | None
    risk: RiskState | None
