"""The Jinja2 environment of the device files."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

_ENVIRONMENT = Environment(
    loader=PackageLoader("tunnels.devices", package_path="."),
    undefined=StrictUndefined,
    # Most are no HTML: each platform escapes by the grammar of its own device.
    autoescape=select_autoescape(["html.j2"], default=False),
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def fill(template: str, values: object) -> str:
    """The template (a path below `tunnels/devices`) filled with the fields of `values`, there called `v`.

    Raises jinja2.UndefinedError when the template asks for something that `values` does not have.
    """
    return _ENVIRONMENT.get_template(template).render(v=values)
