"""Which device a file is for: vendor, then one of its platforms, then one of its versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tunnels.devices import registry
from tunnels.devices.base import find_version
from tunnels.domain.findings import refuse
from tunnels.web.devices import Device, of_version

# Written for people, so that it serves whatever stands at the other end.
SHEET: Final = "generic-sheet"


def suggest(asked: Mapping[str, str], *, remembered: Device | None) -> Device:
    """What to show for an address with these parameters, however incomplete.

    The three lists depend on one another, and without JavaScript they are sent before they agree: a later one that
    does not fit an earlier one falls back to the first that does. Nothing asked: the device remembered, else the
    settings sheet.
    """
    platform = registry.PLATFORMS.get(asked.get("platform", ""))
    offered = registry.vendors().get(asked.get("vendor", ""))
    if offered is not None and platform not in offered:
        platform = offered[0]
    if platform is None:
        platform = remembered.platform if remembered else registry.PLATFORMS[SHEET]
    version = asked.get("version", "")
    if remembered and platform is remembered.platform and version not in platform.versions:
        return remembered
    return of_version(platform, version)


def exact(asked: Mapping[str, str]) -> Device:
    """Exactly what was asked for. Raises RuleError when there is no such thing, or the lists do not agree."""
    platform = registry.find_platform(asked.get("platform", ""))
    if asked.get("vendor", platform.vendor) != platform.vendor:
        raise refuse(
            "unknown-platform",
            "The vendor was changed after the platform; look at the file below, then download it.",
            field="platform",
        )
    return Device(platform=platform, version=find_version(platform, asked.get("version", "")))
