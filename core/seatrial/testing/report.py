"""The report on one engine: every case with what became of it, as text, JSON and a page."""

from __future__ import annotations

from collections import Counter
from html import escape
from importlib.metadata import version
from typing import TYPE_CHECKING

import msgspec

from seatrial.testing.case import CONTRACT, FAMILIES, all_cases
from seatrial.testing.trial import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from seatrial.testing.trial import Outcome

__all__ = ["CaseReport", "EngineReport", "Report", "as_html", "as_json", "as_lines", "report_on"]


class CaseReport(msgspec.Struct, frozen=True, kw_only=True):
    """One case: what it states, and what became of it.

    `problems` are the differences, `missing` the capabilities that are not claimed, and `link` is where a known failure
    is followed up.
    """

    case: str
    statement: str
    status: Status
    problems: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    link: str | None = None


class EngineReport(msgspec.Struct, frozen=True, kw_only=True):
    """All cases for one engine; `suite` names who asked. `complete` says that every case of the contract is in it."""

    suite: str
    engine: str
    version: str
    capabilities: tuple[str, ...]
    summary: str
    counts: dict[str, int]
    cases: tuple[CaseReport, ...]
    complete: bool


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report file. `complete` comes last: without it the file is torn, and where it is false cases were left out."""

    contract: str
    seatrial: str
    engines: tuple[EngineReport, ...]
    complete: bool


def report_on(
    suite: str, outcomes: Iterable[Outcome], capabilities: Iterable[str], known: Mapping[str, str] | None = None
) -> EngineReport:
    """Return the report on one engine; `known` maps cases that were expected to fail to where that is followed up."""
    found = {outcome.case: outcome for outcome in outcomes}
    links = known or {}
    cases = tuple(
        CaseReport(
            case=case.case,
            statement=case.statement,
            status=found[case.case].status,
            problems=found[case.case].problems,
            missing=found[case.case].missing,
            link=links.get(case.case),
        )
        for case in all_cases()
        if case.case in found
    )
    info = next((outcome.engine for outcome in found.values() if outcome.engine is not None), None)
    name, release = (info.name, info.version) if info is not None else ("unknown", "unknown")
    counts = Counter(case.status.value for case in cases)
    complete = len(cases) == len(all_cases())
    return EngineReport(
        suite=suite,
        engine=name,
        version=release,
        capabilities=tuple(sorted(capabilities)),
        summary=_summary(name, release, counts, complete=complete),
        counts={status.value: counts[status.value] for status in Status},
        cases=cases,
        complete=complete,
    )


def _summary(name: str, release: str, counts: Mapping[str, int], *, complete: bool) -> str:
    """Return one line that fits on a badge."""
    told = ", ".join(f"{counts[status.value]} {status.value}" for status in Status if counts.get(status.value))
    return f"seatrial {CONTRACT} | {name} {release} | {told}{'' if complete else ' (not all cases were tried)'}"


def _bound(engines: Sequence[EngineReport]) -> Report:
    complete = bool(engines) and all(engine.complete for engine in engines)
    return Report(contract=CONTRACT, seatrial=version("seatrial"), engines=tuple(engines), complete=complete)


def as_json(engines: Sequence[EngineReport]) -> bytes:
    """Return a report file."""
    return msgspec.json.format(msgspec.json.encode(_bound(engines)), indent=1) + b"\n"


def as_lines(engine: EngineReport) -> list[str]:
    """Return what a terminal shows: the summary, then each case that failed, then what was not claimed."""
    lines = [engine.summary]
    for case in engine.cases:
        if case.status in {Status.FAILED, Status.KNOWN_FAILURE}:
            link = f" [{case.link}]" if case.link else ""
            lines += [
                f"{case.case} {case.status.value}{link}: {case.statement}",
                *[f"  {one}" for one in case.problems],
            ]
    left_out = [case for case in engine.cases if case.status is Status.NOT_CLAIMED]
    lacking = sorted({one for case in left_out for one in case.missing})
    if left_out:
        lines.append(f"not claimed: {', '.join(lacking)} ({len(left_out)} case{'s' * (len(left_out) > 1)})")
    return lines


_STYLE = """
:root { color-scheme: light dark; --good: #1a7f37; --bad: #cf222e; --odd: #9a6700; --dim: #6e7781; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid #8884; padding: .35rem .6rem .35rem 0; vertical-align: top; }
td:first-child, td:nth-child(2) { white-space: nowrap; }
.passed { color: var(--good); } .failed { color: var(--bad); }
.known-failure { color: var(--odd); } .not-claimed { color: var(--dim); }
ul { margin: .2rem 0 0; padding-left: 1.2rem; font: 13px/1.45 ui-monospace, monospace; }
""".strip()


def as_html(engines: Sequence[EngineReport]) -> str:
    """Return the report as one page that needs no other file."""
    report = _bound(engines)
    parts = [
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>Conformance report</title><style>{_STYLE}</style></head>',
        "<body><h1>Conformance report</h1>",
        f"<p>Contract {escape(report.contract)}, seatrial {escape(report.seatrial)}.</p>",
    ]
    for engine in engines:
        parts.append(f"<h2>{escape(engine.engine)} {escape(engine.version)}</h2><p>{escape(engine.summary)}</p>")
        parts.append(f"<p>Claims: {escape(', '.join(engine.capabilities)) or 'nothing'}.</p>")
        for family, about in FAMILIES.items():
            rows = [_row(case) for case in engine.cases if case.case.startswith(family)]
            if rows:
                parts.append(f"<h3>{family}: {escape(about)}</h3><table>{''.join(rows)}</table>")
    return "\n".join([*parts, "</body></html>", ""])


def _row(case: CaseReport) -> str:
    word = case.status.value
    notes = [*case.problems, *([f"needs {', '.join(case.missing)}"] if case.missing else [])]
    told = f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in notes)}</ul>" if notes else ""
    link = f" ({escape(case.link)})" if case.link else ""
    return (
        f'<tr><td>{case.case}</td><td class="{word.replace(" ", "-")}">{word}</td>'
        f"<td>{escape(case.statement)}{link}{told}</td></tr>\n"
    )
