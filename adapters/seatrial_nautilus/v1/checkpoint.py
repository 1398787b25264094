"""A session of NautilusTrader in seatrial's own checkpoint format.

The client's orders, events and the gate are stored as those of every other session. The engine's section holds the
venue behind the gate, and what the trader was told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from nautilus_trader.model.enums import AccountType, BookType, OmsType

from seatrial.contracts.checkpoint import NOTHING, AccountSummary, ExecutionCheckpoint, SimulatorConfig
from seatrial.contracts.venue import VenueConfig
from seatrial.errors import CheckpointError, SeatrialError
from seatrial.gate.keeping import as_json, save_state
from seatrial.gate.observers import ObserversState
from seatrial.gate.rules import storable
from seatrial.gate.state import GateState
from seatrial.venue.settings import can_store
from seatrial_nautilus.v1.codec import decode_event
from seatrial_nautilus.v1.keeping import Kept, TraderState, keep_trader, seed_trader
from seatrial_nautilus.v1.options import nautilus_version
from seatrial_nautilus.v1.reports import Told
from seatrial_nautilus.v1.venue_state import VenueState, load_venue, save_venue

if TYPE_CHECKING:
    from seatrial_nautilus.v1.session import Session

__all__ = ["EngineState", "restore", "snapshot", "summary"]


class EngineState(msgspec.Struct, frozen=True):
    """What lies beneath the gate and before it, as stored.

    `untold` are events that were sent to a live trader, and that it had not heard yet; `quoted` and `traded` are the
    symbols that have such data. `settings` are those of the venue that its state makes no sense without.
    """

    nautilus: str
    venue: VenueState
    trader: TraderState
    told: dict[str, Told]
    untold: tuple[Kept, ...]
    quoted: tuple[str, ...]
    traded: tuple[str, ...]
    settings: dict[str, str] = {}


def summary(session: Session) -> AccountSummary:
    """Return the account as reported, as the gate counts it."""
    account = session.account
    return AccountSummary(
        initial_cash=session.initial_cash,
        cash=account.cash,
        equity=account.equity,
        positions=dict(account.positions),
        trading_state=session.gate.trading_state,
    )


def snapshot(session: Session, strategy: object = None) -> ExecutionCheckpoint:
    """Freeze a session between two calls, with what `strategy.save_state()` returns where one is given.

    :raises InvalidConfigError: for a state that cannot be written.
    """
    gate, marks = session.gate, session.marks
    marks.catch_up()
    client = gate.client
    engine = EngineState(
        nautilus_version(),
        save_venue(session.world),
        keep_trader(session.cache, session.world.venue, session.client),
        dict(session.reporter.told),
        session.client.untold(),
        tuple(sorted(marks.quoted)),
        tuple(sorted(marks.traded)),
        _settings(session),
    )
    latency = session.latency_config
    return ExecutionCheckpoint(
        simulator_id=session.simulator_id,
        timestamp=max(gate.now, session.client.timestamp_ns()),
        config=SimulatorConfig(
            simulator_id=session.simulator_id,
            seed=session.seed,
            initial_cash=session.initial_cash,
            latency=latency if can_store(latency) else None,
            venue=VenueConfig(),
            risk=None if session.risk_config is None else storable(session.risk_config),
        ),
        account=summary(session),
        pending=tuple(client.pending.values()),
        completed=tuple(client.completed.values()),
        originals=tuple(client.originals.values()),
        events=tuple(client.events),
        gate=as_json(gate.snapshot()),
        engine=as_json(engine),
        observers=as_json(ObserversState({}, {})),
        strategy=save_state("strategy", type(strategy).__name__, strategy) or NOTHING,
    )


def restore(session: Session, checkpoint: ExecutionCheckpoint) -> None:
    """Make a new session, whose instruments are there already, go on where the checkpoint was taken.

    :raises CheckpointError: for a checkpoint of another session or engine, or one whose parts do not fit together.
    """
    _check(session, checkpoint)
    try:
        gate = msgspec.json.decode(checkpoint.gate, type=GateState)
        engine = msgspec.json.decode(checkpoint.engine, type=EngineState)
    except msgspec.DecodeError as error:
        problem = f"it is of no session of NautilusTrader ({error})"
        raise CheckpointError(checkpoint.simulator_id, problem) from None
    if engine.nautilus != nautilus_version():
        problem = f"NautilusTrader {engine.nautilus} wrote it, {nautilus_version()} is installed; go on with the former"
        raise CheckpointError(checkpoint.simulator_id, problem)
    for name, now in _settings(session).items():
        if (before := engine.settings.get(name, now)) != now:
            raise CheckpointError(checkpoint.simulator_id, _differs(name, before, now))
    try:
        _become(session, checkpoint, gate, engine)
    except SeatrialError:
        raise
    except (LookupError, ValueError, ArithmeticError, TypeError) as error:
        problem = f"its parts do not fit together ({type(error).__name__}: {error})"
        raise CheckpointError(checkpoint.simulator_id, problem) from error


def _check(session: Session, checkpoint: ExecutionCheckpoint) -> None:
    config = checkpoint.config
    risk = None if session.risk_config is None else storable(session.risk_config)
    settings: tuple[tuple[str, Any, Any], ...] = (
        ("simulator_id", config.simulator_id, session.simulator_id),
        ("seed", config.seed, session.seed),
        ("initial_cash", config.initial_cash, session.initial_cash),
        ("latency", config.latency or session.latency_config, session.latency_config),
        ("risk", config.risk, risk),
    )
    for name, before, now in settings:
        if before != now:
            raise CheckpointError(checkpoint.simulator_id, _differs(name, before, now))


def _differs(name: str, before: object, now: object) -> str:
    return f"the session began with {name}={before!r}, not {now!r}; go on as it began"


def _settings(session: Session) -> dict[str, str]:
    """Return the settings of a venue without which its orders, positions and balances are not what they were."""
    options = session.world.options
    return {
        "oms_type": OmsType(options["oms_type"]).name,
        "account_type": AccountType(options["account_type"]).name,
        "base_currency": str(options["base_currency"]),
        "starting_balances": ", ".join(map(str, options["starting_balances"])),
        "book_type": BookType(options.get("book_type", BookType.L1_MBP)).name,
        "use_position_ids": str(options.get("use_position_ids", True)),
    }


def _become(session: Session, checkpoint: ExecutionCheckpoint, gate: GateState, engine: EngineState) -> None:
    client = session.gate.client
    client.pending.update({order.order_id: order for order in checkpoint.pending})
    client.completed.update({order.order_id: order for order in checkpoint.completed})
    client.originals.update({order.order_id: order for order in checkpoint.originals})
    client.events += checkpoint.events
    session.gate.restore(gate)
    load_venue(session.world, engine.venue)
    session.reporter.told.update(engine.told)
    session.marks.quoted.update(engine.quoted)
    session.marks.traded.update(engine.traded)
    seed_trader(engine.trader, session.cache, session.client)
    for event in engine.untold:
        session.client.send_event(decode_event(event))
