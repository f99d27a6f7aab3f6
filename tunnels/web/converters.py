"""Path converters: a malformed id is a 404 before any view runs."""

from __future__ import annotations

from django.urls.converters import StringConverter


class TunnelId(StringConverter):
    """`vpnx-` and 8 of [a-z0-9]."""

    regex = r"vpnx-[a-z0-9]{8}"


class Step(StringConverter):
    """A step of the wizard."""

    regex = r"basic|spd|ike|ipsec"
