"""Where an error arose: in seatrial's own code, or in that of its user."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb

__all__ = ["place_of"]

_PACKAGE = Path(__file__).resolve().parents[1]


def place_of(error: BaseException, *, within: bool = False) -> str:
    """Return the file and line where `error` arose, empty where there is none.

    It is the innermost place outside seatrial, or `within` it.
    """
    if isinstance(error, SyntaxError) and error.filename is not None:
        return f"{Path(error.filename).name}:{error.lineno}"
    frames = [
        frame
        for frame in extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and Path(frame.filename).resolve().is_relative_to(_PACKAGE) is within
    ]
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
