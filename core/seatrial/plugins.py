"""The loader: finds plugins, keeps what they offer by name, and names the culprit when something is wrong.

Entry points are loaded in the order of their names, so results differ on no machine. One that cannot be imported stops
nobody else: its failure is kept, and raised when a name that only it could know is asked for. Names listed in the
environment variable `SEATRIAL_DISABLE_PLUGINS` (comma-separated) are blocked before they are imported.
"""

from __future__ import annotations

import os
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

import msgspec
import pluggy

from seatrial import hookspecs
from seatrial.contracts._text import said
from seatrial.contracts.plugin import EngineSpec, FeeModelSpec, LatencyModelSpec, ObserverSpec, RiskRuleSpec
from seatrial.errors import PluginClashError, PluginError, UnknownPluginNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from seatrial.contracts.engine import Engine
    from seatrial.contracts.latency import Delay
    from seatrial.contracts.plugin import Observer
    from seatrial.contracts.risk import RiskRule, RiskWatcher, SharedRule
    from seatrial.contracts.venue import FeeModel

__all__ = ["DISABLE", "GROUP", "PluginFailure", "Plugins", "installed_plugins"]

GROUP = "seatrial"
"""The entry-point group of plugins."""
DISABLE = "SEATRIAL_DISABLE_PLUGINS"
"""The environment variable that blocks plugins by name."""


_HOOKS = {
    "seatrial_engines": ("load",),
    "seatrial_risk_rules": ("check", "watch", "for_account"),
    "seatrial_latency_models": ("sample",),
    "seatrial_fee_models": ("total",),
    "seatrial_observers": ("notify",),
}
"""What must be callable on the things that each hook offers."""


class _Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=_Named)
B = TypeVar("B")
B_co = TypeVar("B_co", covariant=True)


class _Spec(Protocol[B_co]):
    @property
    def build(self) -> Callable[..., B_co]: ...


class PluginFailure(msgspec.Struct, frozen=True):
    """A plugin that could not be loaded: its entry point, its distribution, and what went wrong."""

    plugin: str
    distribution: str
    problem: str

    def __str__(self) -> str:
        """Return the failure in one line."""
        return f"{self.plugin} (from {self.distribution}): {self.problem}"


class Plugins:
    """What is offered, by name, and who could not be loaded."""

    def __init__(self) -> None:
        """Start with nothing offered."""
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(hookspecs)
        self._origins: dict[str, str] = {}
        self._blocked: set[str] = set()
        self.failures: tuple[PluginFailure, ...] = ()
        """Who could not be loaded, in order of name."""

    def register(self, plugin: object, name: str, distribution: str = "this program") -> None:
        """Add a plugin under a name.

        :raises PluginError: when the name is taken or blocked, or a hook is misspelled or takes arguments.
        """
        try:
            registered = self._manager.register(plugin, name)
            self._manager.check_pending()
        except (ValueError, pluggy.PluginValidationError) as error:
            if self._manager.get_plugin(name) is plugin:
                self._manager.unregister(plugin)
            raise PluginError(name, distribution, " ".join(str(error).split())) from None
        if registered is None:
            raise PluginError(name, distribution, f"it is blocked; take it out of {DISABLE}")
        unmarked = sorted(
            set(_HOOKS) & set(dir(plugin)) - {one.name for one in self._manager.get_hookcallers(plugin) or ()}
        )
        if unmarked or not self._manager.get_hookcallers(plugin):
            self._manager.unregister(plugin)
            what = f"{', '.join(unmarked)} carries no mark" if unmarked else "it has no hook"
            raise PluginError(name, distribution, f"{what}; mark hooks with @seatrial.hookspecs.hookimpl")
        self._origins[name] = distribution

    def load(self, found: Iterable[EntryPoint] | None = None) -> None:
        """Load entry points, those of every installed distribution unless given.

        :raises PluginError: when a plugin's hook is misspelled or takes arguments.
        """
        for name in os.environ.get(DISABLE, "").split(","):
            if name.strip():
                self._manager.set_blocked(name.strip())
                self._blocked.add(name.strip())
        points = entry_points(group=GROUP) if found is None else found
        for point in sorted(points, key=lambda point: (point.name, point.value)):
            if self._manager.is_blocked(point.name):
                continue
            origin = f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown distribution"
            try:
                plugin = point.load()
            except Exception as error:  # noqa: BLE001 - whatever a stranger's import raises stops nobody else
                problem = said(error)
                self.failures = (*self.failures, PluginFailure(point.name, origin, problem))
            else:
                self.register(plugin, point.name, origin)

    def engines(self) -> dict[str, EngineSpec]:
        """Return the engines on offer, by name; none of them is loaded."""
        return self._offers("seatrial_engines", EngineSpec)

    def engine(self, name: str) -> Engine:
        """Load an engine by name.

        :raises UnknownPluginNameError: when nobody offers it.
        :raises SeatrialError: when it is not installed, with the line that installs it.
        """
        offers = self.engines()
        if name not in offers:
            self._unknown("engine", name, offers)
        return offers[name].load()

    def risk_rules(self) -> dict[str, RiskRuleSpec]:
        """Return the risk rules on offer, by name."""
        return self._offers("seatrial_risk_rules", RiskRuleSpec)

    def latency_models(self) -> dict[str, LatencyModelSpec]:
        """Return the latency models on offer, by name."""
        return self._offers("seatrial_latency_models", LatencyModelSpec)

    def fee_models(self) -> dict[str, FeeModelSpec]:
        """Return the fee models on offer, by name."""
        return self._offers("seatrial_fee_models", FeeModelSpec)

    def observers(self) -> dict[str, ObserverSpec]:
        """Return the observers on offer, by name."""
        return self._offers("seatrial_observers", ObserverSpec)

    def risk_rule(self, name: str, params: Mapping[str, Any]) -> RiskRule | RiskWatcher | SharedRule:
        """Build a risk rule by name.

        :raises UnknownPluginNameError: when nobody offers it.
        :raises PluginError: when it does not take the parameters.
        """
        return self._build("risk rule", name, "seatrial_risk_rules", self.risk_rules(), params)

    def latency_model(self, name: str, params: Mapping[str, Any]) -> Delay:
        """Build a latency model by name.

        :raises UnknownPluginNameError: when nobody offers it.
        :raises PluginError: when it does not take the parameters.
        """
        return self._build("latency model", name, "seatrial_latency_models", self.latency_models(), params)

    def fee_model(self, name: str, params: Mapping[str, Any]) -> FeeModel:
        """Build a fee model by name.

        :raises UnknownPluginNameError: when nobody offers it.
        :raises PluginError: when it does not take the parameters.
        """
        return self._build("fee model", name, "seatrial_fee_models", self.fee_models(), params)

    def observer(self, name: str) -> Observer:
        """Build an observer by name.

        :raises UnknownPluginNameError: when nobody offers it.
        :raises PluginError: when it cannot be built.
        """
        return self._build("observer", name, "seatrial_observers", self.observers(), {})

    def _build(self, what: str, name: str, hook: str, offers: Mapping[str, _Spec[B]], params: Mapping[str, Any]) -> B:
        if name not in offers:
            self._unknown(what, name, offers)
        owner = next(plugin for plugin, spec in self._specs(hook) if getattr(spec, "name", None) == name)
        try:
            built = offers[name].build(**params)
        except Exception as error:  # whatever a stranger's code raises becomes an error of ours
            problem = f"{hook}: {name!r} cannot be built with {dict(params)!r} ({said(error)})"
            raise PluginError(owner, self._origins[owner], problem) from error
        if not any(callable(getattr(built, method, None)) for method in _HOOKS[hook]):
            problem = f"{hook}: {name!r} was built as a {type(built).__name__}, without {' or '.join(_HOOKS[hook])}()"
            raise PluginError(owner, self._origins[owner], problem)
        return built

    def _unknown(self, what: str, name: str, offers: Mapping[str, object]) -> NoReturn:
        failed = tuple([str(failure) for failure in self.failures])
        failed += tuple([f"{blocked} (blocked by {DISABLE})" for blocked in sorted(self._blocked)])
        raise UnknownPluginNameError(what, name, tuple(sorted(offers)), failed)

    def _offers(self, hook: str, kind: type[N]) -> dict[str, N]:
        found: dict[str, tuple[str, N]] = {}
        for plugin, spec in self._specs(hook):
            if not isinstance(spec, kind):
                raise PluginError(plugin, self._origins[plugin], f"{hook} gave {spec!r}, which is no {kind.__name__}")
            if spec.name in found:
                owners = [f"{owner} (from {self._origins[owner]})" for owner in (found[spec.name][0], plugin)]
                raise PluginClashError(spec.name, hook, tuple(owners))
            found[spec.name] = (plugin, spec)
        return {name: found[name][1] for name in sorted(found)}

    def _specs(self, hook: str) -> list[tuple[str, object]]:
        """Return what each plugin offers at a hook, in the order of the plugins' names."""
        offered: list[tuple[str, object]] = []
        for impl in sorted(getattr(self._manager.hook, hook).get_hookimpls(), key=lambda impl: str(impl.plugin_name)):
            try:
                offered += [(impl.plugin_name, spec) for spec in impl.function()]
            except Exception as error:  # whatever a stranger's code raises becomes an error of ours
                problem = f"{hook} raised {said(error)}"
                raise PluginError(impl.plugin_name, self._origins[impl.plugin_name], problem) from error
        return offered


@cache
def installed_plugins() -> Plugins:
    """Return the plugins of all installed distributions, loaded when first asked for."""
    plugins = Plugins()
    plugins.load()
    return plugins
