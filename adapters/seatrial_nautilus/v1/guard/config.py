"""How a live account is guarded: the venue's own client and factory, and what seatrial puts before them."""

from __future__ import annotations

from typing import Any

from msgspec.structs import force_setattr
from nautilus_trader.common.config import ImportableConfig, resolve_path
from nautilus_trader.config import LiveExecClientConfig
from nautilus_trader.live.config import RoutingConfig

from seatrial.contracts.risk import RiskConfig
from seatrial.errors import InvalidConfigError

__all__ = ["SeatrialGuardConfig", "currency_of_account", "inner_config", "inner_factory"]


class SeatrialGuardConfig(LiveExecClientConfig, frozen=True, kw_only=True, forbid_unknown_fields=True):  # type: ignore[call-arg]  # msgspec's
    """The gate before somebody else's execution client.

    `client` is that client's configuration: the object, or an `ImportableConfig` (as JSON, `{"path": …, "config": …}`).
    `factory` makes it: "module:Class", or the class. `risk` limits what leaves, in the account's currency; `currency`
    names it where the account has several balances and no base currency. With `checkpoint_directory`, events are
    appended to `{simulator_id}/events.jsonl` there, and what rules and operators have latched outlasts a restart.
    Routing is the client's own, unless given here.
    """

    client: Any
    factory: Any
    risk: RiskConfig | None = None
    currency: str | None = None
    simulator_id: str = "guard"
    checkpoint_directory: str | None = None

    def __post_init__(self) -> None:
        """Route as the client would."""
        if self.routing == RoutingConfig():
            force_setattr(self, "routing", inner_config(self).routing)


def inner_config(config: SeatrialGuardConfig) -> LiveExecClientConfig:
    """Return the configuration of the client behind the gate.

    :raises InvalidConfigError: for what is none.
    """
    client: Any = config.client
    if isinstance(client, dict):
        client = ImportableConfig.parse(ImportableConfig(**client).json())
    if isinstance(client, ImportableConfig):
        try:
            client = client.create()
        except Exception as error:
            raise InvalidConfigError(
                "client", config.client, f"it cannot be made ({error}); mend path and config"
            ) from error
    if not isinstance(client, LiveExecClientConfig):
        problem = "give the LiveExecClientConfig of the venue's own client, or an ImportableConfig of it"
        raise InvalidConfigError("client", config.client, problem)
    if isinstance(client, SeatrialGuardConfig):
        raise InvalidConfigError("client", config.client, "it is a guard itself; one is enough")
    return client


def inner_factory(config: SeatrialGuardConfig) -> Any:
    """Return the factory of the client behind the gate.

    :raises InvalidConfigError: for what is none, and for the sandbox's, which a node treats unlike all others.
    """
    factory: Any = config.factory
    if isinstance(factory, str):
        try:
            factory = resolve_path(factory)
        except Exception as error:
            problem = f"it cannot be imported ({error}); give 'module:Class'"
            raise InvalidConfigError("factory", config.factory, problem) from error
    if not callable(getattr(factory, "create", None)):
        raise InvalidConfigError(
            "factory", config.factory, "it has no create(); give the client's LiveExecClientFactory"
        )
    if factory.__name__ == "SandboxLiveExecClientFactory":
        problem = "the sandbox trades on paper: use SeatrialExecClientConfig, which has the gate and a venue of its own"
        raise InvalidConfigError("factory", config.factory, problem)
    return factory


def currency_of_account(account: Any, config: SeatrialGuardConfig) -> str | None:
    """Return the code of what rules count in; `None` for an account of several currencies without rules.

    :raises InvalidConfigError: where there are rules, and nothing says in which currency they count.
    """
    if config.currency is not None:
        return config.currency
    if account.base_currency is not None:
        return str(account.base_currency.code)
    codes = [str(one.code) for one in account.currencies()]
    if len(codes) == 1:
        return codes[0]
    if config.risk is not None:
        problem = f"the account has balances in {', '.join(codes) or 'nothing'}; name the one that rules count in"
        raise InvalidConfigError("currency", None, problem)
    return None
