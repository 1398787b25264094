"""Rows of a tape that cannot be used: an error where reading is strict, dropped and counted where it repairs."""

from __future__ import annotations

from typing import Final

from seatrial.contracts.engine import TapeFault
from seatrial.errors import TapeError

__all__ = ["ABSENT", "REPAIR", "BadRow", "Faults", "FileFaults", "shown"]

ABSENT: Final = object()
"""Stands in a row for a column that the file does not have."""
REPAIR = "correct the row, or let repair drop rows like it"
_LONGEST = 40
_LISTED = 100
_TRIAL = 1_000


def shown(cell: object) -> str:
    """Return a cell as messages show it: quoted, and cut where it is long."""
    text = str(cell).strip()
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


class BadRow(Exception):
    """Why a row cannot be used and what to do; whoever reads the file knows where it stands."""

    def __init__(self, subject: str, problem: str, remedy: str = REPAIR) -> None:
        """Keep the halves of the message; `subject` is the column, or whatever else the problem is said of."""
        super().__init__(subject, problem, remedy)
        self.problem = f"{subject} {problem}"
        self.remedy = remedy


class Faults:
    """The rows dropped from a whole tape: the first hundred of them, and how many there were."""

    def __init__(self, *, repair: bool) -> None:
        """Begin without any."""
        self.repair = repair
        self.first: list[TapeFault] = []
        self.count = 0

    def add(self, fault: TapeFault) -> None:
        """Count a row."""
        self.count += 1
        if len(self.first) < _LISTED:
            self.first.append(fault)


class FileFaults:
    """The rows dropped from one file, and whether they are too many for it to be what it was said to be."""

    def __init__(self, faults: Faults, file: str) -> None:
        """Begin without any; `file` is named in messages."""
        self._faults = faults
        self._file = file
        self._early: list[TapeFault] = []

    def add(self, line: int, row: int, bad: BadRow) -> None:
        """Drop a row: number `row` of the file, counted from 1, at `line`.

        :raises TapeError: where reading is strict, and where more than half of the first 1,000 rows are bad.
        """
        if not self._faults.repair:
            raise TapeError(self._file, line, bad.problem, bad.remedy) from None
        fault = TapeFault(self._file, line, bad.problem)
        self._faults.add(fault)
        if row <= _TRIAL:
            self._early.append(fault)
            if len(self._early) * 2 > _TRIAL:
                self._give_up(row)

    def finish(self, rows: int) -> None:
        """Look at a file that ended after `rows` rows.

        :raises TapeError: where more than half of them were bad.
        """
        if rows <= _TRIAL and len(self._early) * 2 > rows:
            self._give_up(rows)

    def _give_up(self, rows: int) -> None:
        count, first = len(self._early), self._early[0]
        problem = f"{count:,} of the first {rows:,} rows cannot be used, so nothing was repaired: {first.problem}"
        raise TapeError(self._file, first.line, problem, "check the file, and what kind, columns, unit and zone say")
