"""Measure speed, print the table, and fail where a bound is missed by more than a fifth.

python tests/bench/run.py                  print the table
python tests/bench/run.py orders memory    only these parts of it
python tests/bench/run.py --write          also renew the table in docs/benchmarks.md, which takes all parts
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.bench import (  # noqa: E402 - as the path is set
    backtrading,
    checkpointing,
    memory,
    nautilus,
    orders,
    queueing,
    risk,
    tapes,
    ticking,
)
from tests.bench.method import Row  # noqa: E402 - as above

PARTS = {
    part.__name__.rpartition(".")[2]: part
    for part in (orders, risk, ticking, queueing, checkpointing, memory, tapes, backtrading, nautilus)
}
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- results begin -->", "<!-- results end -->"
HEAD = ("Work", "Case", "µs", "Ratio", "Bound", "")


def _cells(row: Row) -> tuple[str, ...]:
    micros = "" if row.micros is None else f"{row.micros:,.3g}" if row.micros < 1_000 else f"{row.micros:,.0f}"
    bound = "" if row.bound is None else f"≤ {row.bound:.3g}"
    ratio = (
        f"{row.ratio:,.0f}" if row.ratio >= 1_000 else f"{row.ratio:.2f}" if row.ratio >= 0.1 else f"{row.ratio:.2g}"
    )
    return row.work, row.case, micros, ratio, bound, row.verdict


def _table(rows: list[Row]) -> str:
    lines = [HEAD, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    texts = []
    for line in lines:
        cells = [cell.ljust(width) if n in {0, 1, 5} else cell.rjust(width)
                 for n, (cell, width) in enumerate(zip(line, widths, strict=True))]  # fmt: skip
        texts.append(f"| {' | '.join(cells)} |")
    dashes = [("-" * width if n in {0, 1, 5} else "-" * (width - 1) + ":") for n, width in enumerate(widths)]
    texts.insert(1, f"| {' | '.join(dashes)} |")
    return "\n".join(texts)


def main(arguments: list[str]) -> int:
    """Measure everything, or the parts that are named; return 1 where a bound is missed by more than the grace."""
    chosen = [name for name in arguments if name != "--write"]
    unknown = set(chosen) - PARTS.keys()
    if unknown or (chosen and "--write" in arguments):
        print(f"give parts of {', '.join(PARTS)}, or --write alone", file=sys.stderr)
        return 2
    start = monotonic()
    rows: list[Row] = []
    for name in chosen or PARTS:
        rows += PARTS[name].rows()
    table = _table(rows)
    version = f"{platform.python_implementation()} {platform.python_version()}"
    print(f"{table}\n\n{version}, {monotonic() - start:.0f} s")
    if "--write" in arguments:
        before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
        after = rest.split(END)[1]
        text = f"{before}{BEGIN}\n{table}\n\nMeasured on {version}.\n{END}{after}"
        PAGE.write_text(text, encoding="utf-8")
    failed = [row for row in rows if row.verdict == "FAIL"]
    for row in failed:
        print(f"FAIL: {row.work}, {row.case}: {row.ratio:.3g}, the bound is {row.bound:.3g}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
