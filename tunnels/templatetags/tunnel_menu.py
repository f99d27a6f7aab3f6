"""The menu of one tunnel, for pages that show it by itself."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from tunnels.models import Tunnel
from tunnels.services.actions import is_silent
from tunnels.web.menu import links_to, powers_of

register = template.Library()


@register.inclusion_tag("tunnels/menu_alone.html", takes_context=True)
def tunnel_menu(context: Context, tunnel: Tunnel) -> dict[str, Any]:
    """Reset and More for this tunnel, with the form that they need; the context holds the request."""
    request = context["request"]
    return {
        "tunnel": tunnel,
        "silent": is_silent(tunnel.vpn_gateway),
        "links": links_to(tunnel.public_id),
        "may": powers_of(request.user),
        "here": request.get_full_path(),
        "csrf_token": context["csrf_token"],
    }
