"""Sphinx configuration: nitpicky, and without a network."""

from __future__ import annotations

import re
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "seatrial"
author = "The seatrial developers"
project_copyright = "The seatrial developers"
release = installed_version("seatrial")
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.doctest"]
exclude_patterns = ["changelog.d", "examples"]

html_theme = "furo"
html_title = f"seatrial {release}"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
myst_heading_anchors = 3

nitpicky = True
# Inventories of other projects would need a network, so names that are not ours are not resolved.
nitpick_ignore_regex = [(r"py:.*", r"(?!seatrial\b)\w+(\.\w+)+")]
# (role, name): add the names of builtins and type variables that autodoc prints bare.
nitpick_ignore = [
    ("py:class", name) for name in ("bool", "bytes", "dict", "float", "int", "list", "None", "object", "str", "tuple")
] + [("py:exc", name) for name in ("KeyError", "LookupError", "OSError", "RuntimeError", "TypeError", "ValueError")]
# Names that are imported for type checkers alone are printed as they stand in the source.
nitpick_ignore += [
    ("py:class", name)
    for name in ("Account", "Decimal", "EntryPoint", "Instruments", "Listener", "NativeSink", "Path", "Table")
]


def _spell_defaults(
    _app: Sphinx,
    _what: str,
    _name: str,
    _obj: object,
    _options: object,
    signature: str | None,
    returns: str | None,
) -> tuple[str | None, str | None]:
    """Show a default that is no Python expression, such as <factory>, as an ellipsis."""
    if signature is not None:
        signature = re.sub(r"= ?<[^<>]*>", "= ...", signature)
    return signature, returns


def setup(app: Sphinx) -> None:
    """Register what is needed beyond Sphinx's own settings."""
    app.connect("autodoc-process-signature", _spell_defaults)
