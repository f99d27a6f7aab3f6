"""Kinds of devices as pages choose, name and remember them."""

from __future__ import annotations

from dataclasses import dataclass

from tunnels.devices import registry
from tunnels.devices.abilities import Abilities
from tunnels.devices.base import Platform
from tunnels.models import CustomerGateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A platform and one of its versions."""

    platform: Platform
    version: str

    @property
    def abilities(self) -> Abilities:
        """What this version can do."""
        return self.platform.abilities[self.version]

    @property
    def name(self) -> str:
        """`FortiOS 7.4`: short enough for the options of a list."""
        return f"{self.platform.name} {self.version}"

    @property
    def label(self) -> str:
        """`Fortinet FortiOS 7.4`."""
        return f"{self.platform.vendor} {self.name}"

    @property
    def generic(self) -> bool:
        """Whether it stands for any device: such a file says nothing about the one at the other end."""
        return self.platform.vendor == registry.LAST


def of_version(platform: Platform, version: str) -> Device:
    """The platform in this version, or in its most usual one when it has no such version."""
    known = version in platform.versions
    return Device(platform=platform, version=version if known else platform.versions[0])


def remembered(customer: CustomerGateway) -> Device | None:
    """The device that somebody said stands there; None when nobody did, or it is not offered any more."""
    platform = registry.PLATFORMS.get(customer.platform)
    if platform is None or platform.vendor == registry.LAST:
        return None
    return of_version(platform, customer.platform_version)


def offered() -> list[tuple[str, list[tuple[str, str]]]]:
    """The devices that can be remembered, as a select wants them: grouped by vendor."""
    return [
        (vendor, [(platform.id, platform.label) for platform in platforms])
        for vendor, platforms in registry.vendors().items()
        if vendor != registry.LAST
    ]
