"""The fees of an account: a schedule as it stands, or a plugin's model, checked."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from seatrial.contracts.venue import FeeModel, FeeSchedule, NamedFees
from seatrial.errors import InvalidConfigError
from seatrial.plugins import installed_plugins

if TYPE_CHECKING:
    from seatrial.plugins import Plugins

__all__ = ["Scheduled", "open_fees"]


def open_fees(fees: FeeSchedule | NamedFees, plugins: Plugins | None) -> FeeModel:
    """Return the model that `fees` means; a named one is built by `plugins`, the installed ones unless given.

    :raises UnknownPluginNameError: when nobody offers the name.
    :raises PluginError: when the model does not take its parameters.
    """
    if isinstance(fees, FeeSchedule):
        return Scheduled(fees)
    return _Checked(fees.name, (plugins or installed_plugins()).fee_model(fees.name, fees.params))


class Scheduled:
    """A schedule that works out once what successive orders of one size owe, where their value plays no part."""

    __slots__ = ("_fee", "_quantity", "_schedule", "_valued")

    def __init__(self, schedule: FeeSchedule) -> None:
        """Ask `schedule`."""
        self._schedule = schedule
        self._valued = bool(schedule.bps)
        self._quantity: Decimal | None = None
        self._fee = schedule.minimum

    def total(self, quantity: Decimal, value: Decimal) -> Decimal:
        """Return what an order owes once `quantity` units worth `value` (currency) are filled, in currency."""
        if quantity is not self._quantity or self._valued:
            self._quantity, self._fee = quantity, self._schedule.total(quantity, value)
        return self._fee


class _Checked:
    """A stranger's model: what it returns is an amount of money, or an error that names it."""

    __slots__ = ("_model", "_name")

    def __init__(self, name: str, model: FeeModel) -> None:
        self._name = name
        self._model = model

    def total(self, quantity: Decimal, value: Decimal) -> Decimal:
        fee: object = self._model.total(quantity, value)
        if type(fee) is not Decimal or not fee.is_finite():
            raise InvalidConfigError("fees", fee, f"fee model {self._name!r} returned no amount; return a Decimal")
        return fee
