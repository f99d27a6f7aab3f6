"""The device at a customer gateway, for templates."""

from __future__ import annotations

from django import template

from tunnels.models import CustomerGateway
from tunnels.web.devices import remembered

register = template.Library()


@register.filter
def device(customer: CustomerGateway) -> str:
    """What it is called, with the version when somebody chose one; "" while it is not known."""
    found = remembered(customer)
    if found is None:
        return ""
    return found.label if customer.platform_version else found.platform.label
