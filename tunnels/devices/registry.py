"""All platforms that are offered. Adding one is one folder and one line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tunnels.devices.base import Platform
from tunnels.devices.sheet.platform import SHEET
from tunnels.devices.strongswan_swanctl.platform import SWANCTL
from tunnels.domain.findings import refuse

PLATFORMS: Mapping[str, Platform] = MappingProxyType(
    {platform.id: platform for platform in (SWANCTL, SHEET)}
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
        names = ", ".join(f"{known.vendor} {known.name}" for known in PLATFORMS.values())
        raise refuse("unknown-platform", f"Choose one of: {names}.", field="platform")
    return platform


def find_vendor(vendor: str) -> tuple[Platform, ...]:
    """The platforms of this vendor. Raises RuleError when there is no such vendor."""
    platforms = vendors().get(vendor)
    if platforms is None:
        raise refuse("unknown-vendor", f"Choose one of: {', '.join(vendors())}.", field="vendor")
    return platforms
