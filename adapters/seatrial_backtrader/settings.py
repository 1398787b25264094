"""What a broker was set to: Backtrader's own parameters and commission schemes, as a checkpoint keeps them.

A plain value comes back. What has code of its own (a filler, a scheme of yours) is kept by its class alone: the program
sets it again.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from backtrader.brokers.bbroker import BackBroker
from backtrader.comminfo import CommInfoBase, CommissionInfo

from seatrial.errors import CheckpointError, CheckpointWarning
from seatrial_backtrader.records import plain, unplain

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Settings", "check_settings", "read_scheme", "restore_settings", "settings_of", "write_scheme"]

Settings = dict[str, Any]
_CLASS = "$class"
_STOCK: Any = BackBroker  # whose params a type checker takes for a tuple


def settings_of(broker: Any) -> Settings:
    """Return what a broker is set to, but for its cash."""
    return {
        "broker": {name: _told(getattr(broker.p, name)) for name in _STOCK.params._getkeys() if name != "cash"},
        "schemes": [[name, _class(one), _params(one)] for name, one in broker.comminfo.items()],
    }


def check_settings(simulator_id: str, began: Settings, fresh: Settings) -> None:
    """Refuse to go on with other settings than the run began with.

    :raises CheckpointError: naming the first that differs.
    """
    before, now = dict(_flat(began)), dict(_flat(fresh))
    for name in {**before, **now}:
        if before.get(name) != now.get(name):
            problem = f"the run began with {name}={_shown(before, name)}, not {_shown(now, name)}"
            raise CheckpointError(simulator_id, f"{problem}; resume it as it began")


def restore_settings(simulator_id: str, broker: Any, stored: Settings) -> None:
    """Let a broker be set to what it was when the checkpoint was taken.

    :raises CheckpointError: where something with code of its own was set while the run went on.
    """
    present = settings_of(broker)
    for name, value in stored["broker"].items():
        if value == present["broker"].get(name):
            continue
        if isinstance(value, dict) and _CLASS in value:
            raise _unknown(simulator_id, name, value[_CLASS])
        setattr(broker.p, name, unplain(value))
    known = {name: [kind, params] for name, kind, params in present["schemes"]}
    for name, kind, params in stored["schemes"]:
        if known.get(name) == [kind, params]:
            continue
        scheme = _rebuilt(kind, params)
        if scheme is None:
            raise _unknown(simulator_id, _of("commission scheme", name), kind)
        broker.addcommissioninfo(scheme, name=name)


def write_scheme(broker: Any, order: Any) -> Any:
    """Return the commission scheme that an order was filled under, where `broker` has another by now, else `None`."""
    scheme = order.comminfo
    if scheme is None or scheme is broker.getcommissioninfo(order.data):
        return None
    return [_class(scheme), _params(scheme)]


def read_scheme(broker: Any, data: Any, stored: Any) -> Any:
    """Return the scheme that :func:`write_scheme` wrote; the present one, with a warning, where it has other code."""
    present = broker.getcommissioninfo(data)
    if stored is None or stored == [_class(present), _params(present)]:
        return present
    scheme = _rebuilt(*stored)
    if scheme is None:
        problem = f"an order was filled under a {stored[0]}, which no checkpoint can keep, and another was set since"
        warnings.warn(f"{problem}; its report goes by the present scheme", CheckpointWarning, stacklevel=2)
        return present
    return scheme


def _rebuilt(kind: str, params: dict[str, Any]) -> Any:
    """Return a commission scheme of Backtrader's own; `None` for one with other code."""
    if kind not in _REBUILT or any(isinstance(value, dict) and _CLASS in value for value in params.values()):
        return None
    given = {key: unplain(value) for key, value in params.items()}
    return _REBUILT[kind](**{**given, "percabs": True})  # per cent were made parts when it was set


def _unknown(simulator_id: str, name: str, kind: str) -> CheckpointError:
    problem = f"{name} was set to a {kind} while the run went on, which no checkpoint can keep; set it before the run"
    return CheckpointError(simulator_id, problem)


def _flat(settings: Settings) -> Iterator[tuple[str, Any]]:
    yield from settings["broker"].items()
    for name, kind, params in settings["schemes"]:
        yield _of("commission scheme", name), kind
        for key, value in params.items():
            yield _of(key, name), value


def _of(setting: str, symbol: str | None) -> str:
    return setting if symbol is None else f"{setting} of {symbol}"


def _shown(settings: dict[str, Any], name: str) -> str:
    value = settings.get(name, "nothing")
    return str(value[_CLASS]) if isinstance(value, dict) and _CLASS in value else repr(value)


def _params(scheme: Any) -> dict[str, Any]:
    return {name: _told(getattr(scheme.p, name)) for name in scheme.p._getkeys()}


def _told(value: Any) -> Any:
    scalar = value is None or isinstance(value, bool | int | float | str) or callable(getattr(value, "item", None))
    return plain(value, "broker") if scalar else {_CLASS: _class(value)}


def _class(value: Any) -> str:
    kind = value if isinstance(value, type) else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


_REBUILT = {_class(kind): kind for kind in (CommInfoBase, CommissionInfo)}
