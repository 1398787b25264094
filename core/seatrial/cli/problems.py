"""What is wrong with a session file, in one line: the file, the key, and what to write instead."""

from __future__ import annotations

import re
from contextlib import contextmanager
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast

import msgspec
from msgspec import inspect

from seatrial.errors import InvalidConfigError, SeatrialError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

__all__ = ["BadValueError", "SessionError", "at_key", "closest", "explain"]

_PLACE = re.compile(r"(?P<what>.*?)(?: - at `(?:key in )?\$(?P<path>.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<key>[^.\[]+)|\[(?P<index>\d+|\.\.\.)\]")
_EXPECTED = re.compile(r"Expected `(?P<want>[^`]*)`, got `(?P<got>[^`]*)`")
_QUOTED = re.compile(r"[`'](?P<name>.*?)[`']", re.DOTALL)
_KINDS = {
    "array": "a list in [ ]",
    "bool": "true or false",
    "decimal": "a number",
    "float": "a number",
    "int": "a whole number",
    "object": "a table in { }",
    "str": "text in quotes",
}
_OURS = (
    (r"a Decimal\b", "a number"),
    (r", or None( for no limit)?", ""),
    (r"an? \w+Rule needs", "it needs"),
    (r"use AccountType\.MARGIN", 'write account = "margin"'),
)
"""How contracts say things, and how a session file does."""


class SessionError(SeatrialError, ValueError):
    """A session file that cannot be used."""

    def __init__(self, path: str, key: str, problem: str) -> None:
        """Keep the file, the key (empty for the file as a whole), and the problem."""
        super().__init__(": ".join(part for part in (path, key, problem) if part))
        self.path = path
        self.key = key
        self.problem = problem


class BadValueError(ValueError):
    """A value in a session file that cannot be used; whoever knows its key makes a :class:`SessionError` of it."""

    def __init__(self, value: object, problem: str) -> None:
        """Keep the value and the problem."""
        super().__init__(f"{_shown(value)} {problem}")
        self.value = value
        self.problem = problem


@contextmanager
def at_key(path: str, key: str) -> Generator[None]:
    """Tell the file and the key of whatever turns out wrong inside.

    :raises SessionError: for any error of seatrial's, and any ValueError.
    """
    try:
        yield
    except SessionError:
        raise
    except InvalidConfigError as error:
        raise _setting(path, key, error) from error
    except (SeatrialError, ValueError) as error:
        raise SessionError(path, key, str(error)) from error


def closest(name: str, known: Iterable[str]) -> str:
    """Return a question that offers the closest of the known names, or nothing.

    >>> closest("slwo", ["fast", "slow"])
    "; did you mean 'slow'?"
    """
    near = get_close_matches(name, list(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def explain(path: str, error: msgspec.ValidationError, value: object, kind: Any) -> SessionError:
    """Return what a validation error means to the one who wrote `value`, which was to be a `kind`."""
    match = _PLACE.fullmatch(str(error))
    what, place = (match["what"], match["path"] or "") if match else (str(error), "")
    steps = [step["key"] or step["index"] for step in _STEP.finditer(place)]
    if isinstance(error.__cause__, InvalidConfigError):
        return _setting(path, _key(steps), error.__cause__)
    if "required field" in what or "unknown field" in what:
        return _field(path, steps, what, value, inspect.type_info(kind))
    if what.startswith("Invalid"):
        given = _at(value, steps)
        known = _choices(_node(inspect.type_info(kind), steps, value))
        if known:
            return SessionError(
                path, _key(steps), f"{given!r} is none of {', '.join(known)}{closest(str(given), known)}"
            )
        return SessionError(path, _key(steps), f"{_shown(given)} is no number")
    expected = _EXPECTED.match(what)
    if expected:
        wants = dict.fromkeys(_KINDS.get(want, want) for want in expected["want"].split(" | ") if want != "null")
        table = _table(steps, _node(inspect.type_info(kind), steps, value))
        what = f"{_shown(_at(value, steps))} cannot stand here; write {table or ' or '.join(wants)}"
    return SessionError(path, _key(steps), what)


def _field(path: str, steps: list[str], what: str, value: object, root: inspect.Type) -> SessionError:
    match = _QUOTED.search(what)
    name = match["name"] if match else ""
    known = _names(_node(root, steps, value))
    if "required" in what:
        if not steps:
            return SessionError(path, "", f"the table [{name}] is missing; write it, `seatrial new` shows how")
        choices = _choices(_node(root, [*steps, name], value))
        hint = f"give one of {', '.join(choices)}" if choices else "add it"
        return SessionError(path, _key([*steps, name]), f"it is missing; {hint}")
    near = closest(name, known)
    homes = [home for home in _homes(root, name) if home]
    if near or not homes:
        inside = f"; its own parameters go into params = {{ {name} = … }}" if "params" in known else ""
        rest = near or inside or f"; known here: {', '.join(known)}"
        return SessionError(path, _key([*steps, name]), f"no such key{rest}")
    return SessionError(path, _key([*steps, name]), f"no such key here; it belongs into [{']  or ['.join(homes)}]")


def _key(steps: list[str]) -> str:
    """Return a place as TOML would be read aloud: `tape.files #2.kind`."""
    key = ""
    for step in steps:
        if step.isdecimal():
            key += f" #{int(step) + 1}"
        else:
            key += f".{step}" if key else step
    return key


def _setting(path: str, key: str, error: InvalidConfigError) -> SessionError:
    """Return an error of a contract in the file's words: amounts are mere numbers there, and nothing is None."""
    problem = error.problem
    for theirs, ours in _OURS:
        problem = re.sub(theirs, ours, problem)
    if error.value is None:
        return SessionError(path, key, problem)
    if error.setting.isidentifier() and key.rpartition(".")[2] != error.setting:
        key = f"{key}.{error.setting}"
    verdict = problem if problem.startswith("cannot ") else f"cannot be used; {problem}"
    return SessionError(path, key, f"{_shown(error.value)} {verdict}")


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(str(value)) if isinstance(value, str) else str(value)


def _at(value: Any, steps: list[str]) -> object:
    for step in steps:
        try:
            value = value[int(step) if step.isdecimal() else step]
        except (KeyError, IndexError, TypeError):
            return None
    return cast("object", value)


def _bare(node: inspect.Type) -> inspect.Type:
    return _bare(node.type) if isinstance(node, inspect.Metadata) else node


def _branches(node: inspect.Type) -> list[inspect.Type]:
    node = _bare(node)
    return [_bare(one) for one in node.types] if isinstance(node, inspect.UnionType) else [node]


def _node(node: inspect.Type, steps: list[str], value: object) -> list[inspect.Type]:
    """Return the types that may stand at a place, of tagged tables the one whose tag is there."""
    for done, step in enumerate(steps):
        inner: list[inspect.Type] = []
        for branch in _branches(node):
            if isinstance(branch, inspect.StructType):
                inner += [field.type for field in branch.fields if field.encode_name == step]
                inner += [node] if branch.tag_field == step else []
            elif isinstance(branch, inspect.ListType | inspect.VarTupleType):
                inner.append(branch.item_type)
        if not inner:
            return []
        node = inner[0]
        if done == len(steps) - 1 and node is not inner[-1]:
            break
    tagged = _branches(node)
    given = _at(value, steps)
    if isinstance(given, dict):
        chosen: list[inspect.Type] = [
            one
            for one in tagged
            if isinstance(one, inspect.StructType)
            and one.tag_field is not None
            and cast("dict[str, Any]", given).get(one.tag_field) == one.tag
        ]
        return chosen or tagged
    return tagged


def _table(steps: list[str], nodes: list[inspect.Type]) -> str:
    """Return how tables are written where nothing else may stand, with the keys they must have."""
    node = nodes[0] if len([one for one in nodes if not isinstance(one, inspect.NoneType)]) == 1 else None
    item = _bare(node.item_type) if isinstance(node, inspect.VarTupleType) else node
    if not isinstance(item, inspect.StructType):
        return ""
    keys = [field.encode_name for field in item.fields if field.required]
    name = _key([step for step in steps if not step.isdecimal()])
    several = node is not item or (steps and steps[-1].isdecimal())
    return f"{f'[[{name}]]' if several else f'[{name}]'}{' with ' if keys else ''}{' and '.join(keys)}"


def _choices(nodes: list[inspect.Type]) -> list[str]:
    """Return the words that may stand where these types may, tags of tables included."""
    words: list[str] = []
    for node in nodes:
        if isinstance(node, inspect.EnumType):
            words += [str(member.value) for member in node.cls]
        elif isinstance(node, inspect.StructType) and node.tag is not None:
            words.append(str(node.tag))
    return words


def _names(nodes: list[inspect.Type]) -> list[str]:
    names: list[str] = []
    for node in nodes:
        if isinstance(node, inspect.StructType):
            names += [node.tag_field] if node.tag_field else []
            names += [field.encode_name for field in node.fields]
    return list(dict.fromkeys(names))


def _homes(root: inspect.Type, name: str) -> list[str]:
    """Return the tables directly under the file that know a key."""
    homes: list[str] = []
    for branch in _branches(root):
        if isinstance(branch, inspect.StructType):
            for field in branch.fields:
                inner = [
                    one.item_type if isinstance(one, inspect.VarTupleType) else one for one in _branches(field.type)
                ]
                if name in _names([_bare(one) for one in inner]):
                    homes.append(field.encode_name)
    return homes
