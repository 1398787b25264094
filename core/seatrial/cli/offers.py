"""Commands that list what is on offer: `seatrial engines`, `rules`, `latency-models`, `plugins`."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import click
import msgspec

from seatrial.cli.latencies import PROFILES
from seatrial.cli.session import ConstantTable, EmpiricalTable, LognormalTable, NamedTable, UniformTable
from seatrial.cli.words import as_json, examples, print_json, print_rows
from seatrial.contracts.latency import Constant, Leg, Uniform
from seatrial.errors import SeatrialError
from seatrial.plugins import DISABLE, GROUP, Plugins, installed_plugins
from seatrial.report.words import duration

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.metadata import EntryPoint

    from seatrial.contracts.latency import Distribution

__all__ = ["PluginReport", "engines", "latency_models", "plugins", "rules"]

_KINDS = ("engines", "risk_rules", "latency_models", "fee_models", "observers")
_TABLES = (ConstantTable, UniformTable, LognormalTable, EmpiricalTable, NamedTable)


class PluginReport(msgspec.Struct, frozen=True, kw_only=True):
    """One installed plugin: where it comes from, whether it is `loaded`, `blocked` or `failed`, and what it offers."""

    name: str
    module: str
    distribution: str
    state: str
    offers: dict[str, tuple[str, ...]]
    problem: str | None = None


@click.command(epilog=examples("seatrial engines", "seatrial engines --json"))
@as_json
def engines(*, as_json: bool) -> None:
    """List the engines that can run a session, and what they can do."""
    found = [(spec.info, _missing(name)) for name, spec in installed_plugins().engines().items()]
    if as_json:
        print_json([{**msgspec.structs.asdict(info), "problem": problem} for info, problem in found])
        return
    rows = [(info.name, info.version, problem or "ready", info.summary) for info, problem in found]
    print_rows(("engine", "version", "state", "what it is"), rows)
    for info, _ in found:
        click.echo(f"\n{info.name} can do: {', '.join(info.capabilities)}")


@click.command(epilog=examples("seatrial rules", "seatrial rules --json"))
@as_json
def rules(*, as_json: bool) -> None:
    """List the risk rules that a session can name under [risk]."""
    found = installed_plugins().risk_rules()
    owners = _owners("risk_rules")
    if as_json:
        print_json([_named(name, spec.summary, owners) for name, spec in found.items()])
        return
    print_rows(("rule", "what it limits", "from"), [(name, spec.summary, owners[name]) for name, spec in found.items()])
    click.echo('\n[risk]\nrules = ["NAME", { name = "NAME", params = { … } }]')


@click.command("latency-models", epilog=examples("seatrial latency-models", "seatrial latency-models --json"))
@as_json
def latency_models(*, as_json: bool) -> None:
    """List what a session can say under [latency]: profiles, distributions, and models of plugins."""
    found = installed_plugins().latency_models()
    owners = _owners("latency_models")
    tables = {str(kind.__struct_config__.tag): kind for kind in _TABLES}
    if as_json:
        print_json(
            {
                "profiles": {name: {leg: config.leg(leg) for leg in Leg} for name, config in PROFILES.items()},
                "distributions": {name: kind.__struct_fields__ for name, kind in tables.items()},
                "models": [_named(name, spec.summary, owners) for name, spec in found.items()],
            }
        )
        return
    profiles = [(name, *[_delay(config.leg(leg)) for leg in Leg]) for name, config in PROFILES.items()]
    print_rows(("profile", *Leg), profiles)
    click.echo()
    print_rows(
        ("distribution", "keys", "what it is"),
        [(name, ", ".join(kind.__struct_fields__), (kind.__doc__ or "").strip()) for name, kind in tables.items()],
    )
    click.echo()
    models = [(name, spec.summary, owners[name]) for name, spec in found.items()]
    if models:
        print_rows(("model", "what it is", "from"), models)
    else:
        click.echo("no plugin offers a latency model")


@click.command(epilog=examples("seatrial plugins", "seatrial plugins --json"))
@as_json
def plugins(*, as_json: bool) -> None:
    """List installed plugins: where each comes from, what it offers, what failed to load, and what is blocked."""
    found = _reports()
    if as_json:
        print_json(found)
        return
    rows = [(one.name, one.state, one.distribution, _offered(one)) for one in found]
    print_rows(("plugin", "state", "from", "offers"), rows)


def _reports() -> list[PluginReport]:
    """Return a report on every installed plugin, each loaded by itself so that none hides another."""
    blocked = {name.strip() for name in os.environ.get(DISABLE, "").split(",")}
    points = sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value))
    return [_report(point, blocked=point.name in blocked) for point in points]


def _report(point: EntryPoint, *, blocked: bool) -> PluginReport:
    distribution = f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
    state, problem = "loaded", None
    offers: dict[str, tuple[str, ...]] = {}
    alone = Plugins()
    if blocked:
        state, problem = "blocked", f"it is named in {DISABLE}"
    else:
        try:
            alone.load([point])
            offers = {kind: names for kind in _KINDS if (names := tuple(getattr(alone, kind)()))}
        except SeatrialError as error:
            state, problem = "failed", str(error)
        for failure in alone.failures:
            state, problem = "failed", failure.problem
    return PluginReport(
        name=point.name,
        module=point.value,
        distribution=distribution,
        state=state,
        offers=offers,
        problem=problem,
    )


def _owners(kind: str) -> Mapping[str, str]:
    """Return the distribution behind each name of a kind."""
    return {name: report.distribution for report in _reports() for name in report.offers.get(kind, ())}


def _offered(report: PluginReport) -> str:
    if report.problem is not None:
        return report.problem
    return "; ".join(f"{kind.replace('_', ' ')}: {', '.join(names)}" for kind, names in report.offers.items())


def _missing(engine: str) -> str | None:
    """Return why an engine cannot run, `None` where it can."""
    try:
        installed_plugins().engine(engine)
    except (SeatrialError, ImportError) as error:
        return str(error)
    return None


def _named(name: str, summary: str, owners: Mapping[str, str]) -> dict[str, str]:
    return {"name": name, "summary": summary, "distribution": owners[name]}


def _delay(distribution: Distribution) -> str:
    if isinstance(distribution, Constant):
        return duration(distribution.delay_ns)
    if isinstance(distribution, Uniform):
        return f"{duration(distribution.low_ns)} to {duration(distribution.high_ns)}"
    return str(distribution)
