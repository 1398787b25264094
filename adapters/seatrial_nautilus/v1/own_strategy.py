"""A NautilusTrader strategy of the user's own, built with its parameters."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import msgspec
from nautilus_trader.common.config import msgspec_encoding_hook
from nautilus_trader.config import StrategyConfig
from nautilus_trader.trading.strategy import Strategy

from seatrial.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["build_strategy"]


def build_strategy(path: str, kind: Any, params: Mapping[str, Any]) -> Any:
    """Return a strategy of class `kind`, with a config made of `params` where it takes one.

    The config's class is the annotation of the constructor's first argument, else the one beside the strategy that is
    called as the strategy with `Config` behind. Values are read as NautilusTrader reads them from JSON: `"IBM.SIM"` for
    an `InstrumentId`, `"0.5"` for a `Decimal`.

    :raises StrategyError: for parameters that the config does not take, or a strategy that cannot be built with it.
    """
    argument = _argument(kind)
    if argument is None:
        if params:
            raise StrategyError(path, f"it takes no config, so it can be given no {next(iter(params))!r}")
        return _built(path, kind, params)
    config = _config_class(path, kind, argument)
    known = config.__struct_fields__
    unknown = [name for name in params if name not in known]
    if unknown:
        own = [name for name in known if name not in StrategyConfig.__struct_fields__]
        takes = f"its {config.__name__} takes {', '.join(own) or 'nothing'}, and what every StrategyConfig takes"
        raise StrategyError(path, f"it takes no {unknown[0]!r}; {takes}")
    try:
        made = config.parse(msgspec.json.encode(dict(params), enc_hook=msgspec_encoding_hook))
    except Exception as error:  # whatever a hook of NautilusTrader's raises becomes an error of ours
        problem = f"{config.__name__} cannot be made of {dict(params)!r} ({type(error).__name__}: {error})"
        raise StrategyError(path, problem) from error
    return _built(path, kind, params, **{argument: made})


def _built(path: str, kind: Any, params: Mapping[str, Any], **config: Any) -> Any:
    try:
        return kind(**config)
    except Exception as error:  # whatever a stranger's code raises becomes an error of ours
        given = ", ".join(f"{name}={value!r}" for name, value in params.items()) or "no parameters"
        raise StrategyError(path, f"it cannot be built with {given} ({type(error).__name__}: {error})") from error


def _constructor(kind: type) -> Any:
    """Return the constructor that somebody has written in Python, `None` where there is NautilusTrader's alone."""
    for base in kind.__mro__:
        if base is Strategy:
            return None
        if "__init__" in vars(base):
            return vars(base)["__init__"]
    return None


def _argument(kind: type) -> str | None:
    """Return the name of the argument that takes the config, `None` where nothing is taken."""
    constructor = _constructor(kind)
    if constructor is None:
        return "config"
    names = list(inspect.signature(constructor).parameters)[1:]
    return names[0] if names else None


def _config_class(path: str, kind: type, argument: str) -> Any:
    constructor = _constructor(kind)
    if constructor is None:
        return StrategyConfig
    try:
        hint = get_type_hints(constructor).get(argument)
    except (NameError, TypeError):  # an annotation that is there for type checkers alone
        hint = None
    beside = vars(sys.modules[kind.__module__]).get(f"{kind.__name__}Config")
    for found in (hint, *get_args(hint), beside):
        if isinstance(found, type) and issubclass(found, StrategyConfig):
            return found
    problem = f"the class of its {argument!r} cannot be told; annotate it: def __init__(self, {argument}: MyConfig)"
    raise StrategyError(path, problem)
