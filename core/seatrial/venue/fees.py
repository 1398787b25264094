"""The fees of an account: a schedule as it stands, or a plugin's model, checked."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from seatrial.contracts.venue import FeeModel, FeeSchedule, NamedFees
from seatrial.errors import InvalidConfigError
from seatrial.plugins import installed_plugins

if TYPE_CHECKING:
    from seatrial.plugins import Plugins

__all__ = ["open_fees"]


def open_fees(fees: FeeSchedule | NamedFees, plugins: Plugins | None) -> FeeModel:
    """Return the model that `fees` means; a named one is built by `plugins`, the installed ones unless given.

    :raises UnknownPluginNameError: when nobody offers the name.
    :raises PluginError: when the model does not take its parameters.
    """
    if isinstance(fees, FeeSchedule):
        return fees
    return _Checked(fees.name, (plugins or installed_plugins()).fee_model(fees.name, fees.params))


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
