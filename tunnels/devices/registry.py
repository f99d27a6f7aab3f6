"""All platforms that are offered: every folder beside this file that has a `platform.py`.

Adding a device is adding a folder; nothing here changes.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType

import tunnels.devices
from tunnels.devices.base import Platform
from tunnels.domain.findings import refuse

# What no vendor makes stands last in every list.
LAST = "Generic"


def _found() -> Iterator[Platform]:
    for module in pkgutil.iter_modules(tunnels.devices.__path__):
        name = f"tunnels.devices.{module.name}.platform"
        if module.ispkg and find_spec(name):
            yield from import_module(name).PLATFORMS


def _order(platform: Platform) -> tuple[bool, str, bool]:
    # The other platforms of one vendor stay as their folders are.
    return platform.vendor == LAST, platform.vendor.casefold(), not platform.leads


PLATFORMS: Mapping[str, Platform] = MappingProxyType(
    {platform.id: platform for platform in sorted(_found(), key=_order)}
)


def vendors() -> Mapping[str, tuple[Platform, ...]]:
    """Vendor → its platforms, in the order in which they are offered; each platform lists its versions."""
    grouped: dict[str, tuple[Platform, ...]] = {}
    for platform in PLATFORMS.values():
        grouped[platform.vendor] = (*grouped.get(platform.vendor, ()), platform)
    return MappingProxyType(grouped)


def find_platform(platform_id: str) -> Platform:
    """The platform of this id. Raises RuleError when there is none."""
    platform = PLATFORMS.get(platform_id)
    if platform is None:
        names = ", ".join(known.label for known in PLATFORMS.values())
        raise refuse("unknown-platform", f"Choose one of: {names}.", field="platform")
    return platform
