"""The hooks a plugin may implement.

A plugin is any object with functions marked by `hookimpl`, mostly a module. Installed distributions offer theirs
under the entry-point group `seatrial`; programs may register their own. Hooks only return specs; they do no work.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from seatrial.contracts.plugin import EngineSpec, FeeModelSpec, LatencyModelSpec, ObserverSpec, RiskRuleSpec

__all__ = [
    "hookimpl",
    "hookspec",
    "seatrial_engines",
    "seatrial_fee_models",
    "seatrial_latency_models",
    "seatrial_observers",
    "seatrial_risk_rules",
]

hookspec = pluggy.HookspecMarker("seatrial")
hookimpl = pluggy.HookimplMarker("seatrial")


@hookspec
def seatrial_engines() -> Iterable[EngineSpec]:  # type: ignore[empty-body]  # a spec
    """Offer engines, each under a name of its own.

    >>> from seatrial.contracts.engine import Capability, EngineSpec
    >>> from seatrial.engine.native import NativeEngine
    >>> from seatrial.hookspecs import hookimpl
    >>> from seatrial.plugins import Plugins
    >>> class Mine:
    ...     @hookimpl
    ...     def seatrial_engines(self):
    ...         claims = frozenset({Capability.QUOTES, Capability.MARKET})
    ...         return [EngineSpec(name="mine", version="1.0", capabilities=claims, load=NativeEngine)]
    >>> plugins = Plugins()
    >>> plugins.register(Mine(), "mine")
    >>> [str(claim) for claim in plugins.engines()["mine"].info.capabilities]
    ['market', 'quotes']
    >>> type(plugins.engine("mine")).__name__
    'NativeEngine'
    """


@hookspec
def seatrial_risk_rules() -> Iterable[RiskRuleSpec]:  # type: ignore[empty-body]  # a spec
    """Offer risk rules, each under a name of its own.

    >>> from decimal import Decimal
    >>> from seatrial import ExecutionSimulator, Order, OrderSide, OrderType, RiskConfig, RiskViolation
    >>> from seatrial.contracts.plugin import RiskRuleSpec
    >>> from seatrial.contracts.risk import NamedRule
    >>> from seatrial.hookspecs import hookimpl
    >>> from seatrial.plugins import Plugins
    >>> class Largest:
    ...     def __init__(self, units):
    ...         self.units = units
    ...
    ...     def check(self, order, account, now):
    ...         if order.quantity > self.units:
    ...             return RiskViolation("too large", order.quantity, Decimal(self.units))
    >>> class Sizes:
    ...     @hookimpl
    ...     def seatrial_risk_rules(self):
    ...         return [RiskRuleSpec(name="largest", build=Largest, summary="units per order")]
    >>> plugins = Plugins()
    >>> plugins.register(Sizes(), "sizes")
    >>> limits = RiskConfig(rules=(NamedRule("largest", {"units": 100}),))
    >>> simulator = ExecutionSimulator(initial_cash=Decimal(10_000), risk_config=limits, plugins=plugins)
    >>> terms = {"symbol": "IBM", "side": OrderSide.BUY, "order_type": OrderType.MARKET, "created_at": 0}
    >>> order = simulator.submit_order(Order(order_id="1", quantity=101, **terms), timestamp=0)
    >>> print(order.rejection_reason, order.rejection.rule, order.rejection.value, order.rejection.limit)
    risk_rule largest 101 100
    """


@hookspec
def seatrial_latency_models() -> Iterable[LatencyModelSpec]:  # type: ignore[empty-body]  # a spec
    """Offer distributions of delays, each under a name of its own.

    >>> from seatrial import Constant
    >>> from seatrial.contracts.plugin import LatencyModelSpec
    >>> from seatrial.hookspecs import hookimpl
    >>> from seatrial.plugins import Plugins
    >>> class Fibre:
    ...     @hookimpl
    ...     def seatrial_latency_models(self):
    ...         return [LatencyModelSpec(name="fibre", build=lambda km: Constant(round(km * 4_900)))]
    >>> plugins = Plugins()
    >>> plugins.register(Fibre(), "fibre")
    >>> plugins.latency_model("fibre", {"km": 100}).sample(0)
    490000
    """


@hookspec
def seatrial_fee_models() -> Iterable[FeeModelSpec]:  # type: ignore[empty-body]  # a spec
    """Offer fee models, each under a name of its own.

    >>> from decimal import Decimal
    >>> from seatrial.contracts.plugin import FeeModelSpec
    >>> from seatrial.hookspecs import hookimpl
    >>> from seatrial.plugins import Plugins
    >>> class Flat:
    ...     def __init__(self, fee):
    ...         self.fee = Decimal(fee)
    ...
    ...     def total(self, quantity, value):
    ...         return self.fee
    >>> class Broker:
    ...     @hookimpl
    ...     def seatrial_fee_models(self):
    ...         return [FeeModelSpec(name="flat", build=Flat, summary="one fee per order")]
    >>> plugins = Plugins()
    >>> plugins.register(Broker(), "broker")
    >>> plugins.fee_model("flat", {"fee": "1.50"}).total(Decimal(10), Decimal(1000))
    Decimal('1.50')
    """


@hookspec
def seatrial_observers() -> Iterable[ObserverSpec]:  # type: ignore[empty-body]  # a spec
    """Offer observers, each under a name of its own.

    >>> from seatrial.contracts.plugin import ObserverSpec
    >>> from seatrial.hookspecs import hookimpl
    >>> from seatrial.plugins import Plugins
    >>> class Tally:
    ...     def __init__(self):
    ...         self.heard = 0
    ...
    ...     def notify(self, event, order):
    ...         self.heard += 1
    >>> class Counting:
    ...     @hookimpl
    ...     def seatrial_observers(self):
    ...         return [ObserverSpec(name="tally", build=Tally, summary="counts events")]
    >>> plugins = Plugins()
    >>> plugins.register(Counting(), "counting")
    >>> plugins.observer("tally").heard
    0
    """
