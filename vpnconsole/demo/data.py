"""The demo's data: the example of `load_example`."""

from __future__ import annotations

from tunnels.domain.findings import RuleError
from tunnels.services.access import SystemActor
from tunnels.services.example import load_example
from vpnconsole.env import Misconfigured


def load() -> None:
    """Make what is missing of the example. Raises Misconfigured when something of the user's is in the way."""
    try:
        load_example(actor=SystemActor(name="demo"))
    except RuleError as error:
        raise Misconfigured(
            f"the example was not loaded: {error} "
            "Give the demo a folder of its own: VPNCONSOLE_VAR_DIR=var-demo make demo."
        ) from None
