"""Classes by name: `package.module:Class`, or `path/to/file.py:Class`."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seatrial.contracts._text import said
from seatrial.errors import StrategyError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

__all__ = ["build", "built_on", "load_class"]


def load_class(path: str) -> type:
    """Return the class that `path` names.

    :raises StrategyError: when there is none, naming what there is.
    """
    place, colon, name = path.rpartition(":")
    if not colon or not place or not name:
        raise StrategyError(path, "give 'package.module:Class' or 'path/to/file.py:Class'")
    module = _from_file(path, Path(place)) if place.endswith(".py") else _from_module(path, place)
    found = getattr(module, name, None)
    if not isinstance(found, type):
        own = sorted(key for key, value in vars(module).items() if _is_own(value, module))
        near = get_close_matches(name, own, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; classes there: {', '.join(own) or 'none'}"
        raise StrategyError(path, f"{place} has no class {name!r}{hint}")
    return found


def build(path: str, params: Mapping[str, Any]) -> Any:
    """Return an object of the class that `path` names, built with `params`.

    :raises StrategyError: when there is no such class, or it does not take the parameters.
    """
    kind = load_class(path)
    try:
        return kind(**params)
    except Exception as error:  # whatever a stranger's code raises becomes an error of ours
        given = ", ".join(f"{name}={value!r}" for name, value in params.items()) or "no parameters"
        problem = f"it cannot be built with {given} ({said(error)}){built_on(kind)}"
        raise StrategyError(path, problem) from error


def built_on(kind: type) -> str:
    """Return a hint for a class that failed: what it is built on, if it looks like another engine's strategy."""
    roots = {base.__module__.partition(".")[0] for base in kind.__mro__[1:-1]} - sys.stdlib_module_names
    others = ", ".join(sorted(roots - {"seatrial", kind.__module__}))
    if not others or hasattr(kind, "on_market"):
        return ""
    return f"; it is built on {others}, so it may be for another engine"


def _is_own(value: object, module: ModuleType) -> bool:
    return isinstance(value, type) and value.__module__ == module.__name__


def _from_module(path: str, name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            problem = f"no module {error.name!r}; check the name, or give a file: 'path/to/file.py:Class'"
            raise StrategyError(path, problem) from None
        raise StrategyError(path, f"{name} cannot be imported (no module {error.name!r})") from error
    except Exception as error:  # whatever a stranger's code raises becomes an error of ours
        raise StrategyError(path, f"{name} cannot be imported ({said(error)})") from error


def _from_file(path: str, file: Path) -> ModuleType:
    if not file.is_file():
        raise StrategyError(path, f"there is no file {file}")
    name = f"seatrial_strategy_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise StrategyError(path, f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a stranger's code raises becomes an error of ours
        del sys.modules[name]
        raise StrategyError(path, f"{file} cannot be run ({said(error)})") from error
    return module
