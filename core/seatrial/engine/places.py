"""Where an error arose: in seatrial's own code, or in that of its user."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["place_of"]

_PACKAGE = Path(__file__).resolve().parents[1]


def place_of(error: BaseException, *, within: bool = False, engine: Iterable[Path] = ()) -> str:
    """Return the file and line where `error` arose, empty where there is none.

    It is the innermost place outside seatrial and the folders of an `engine`, or `within` them.
    """
    ours = (_PACKAGE, *engine)
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{Path(error.filename).name}:{error.lineno}"
    frames = [
        frame
        for frame in extract_tb(error.__traceback__)
        if frame.filename.endswith(".py") and _lies_in(frame.filename, ours) is within
    ]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def _lies_in(filename: str, folders: Iterable[Path]) -> bool:
    path = Path(filename).resolve()
    return any(path.is_relative_to(folder) for folder in folders)
