"""Which device was chosen: vendor, then one of its platforms, then one of its versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tunnels.devices.base import Platform
from tunnels.devices.registry import PLATFORMS, find_platform, vendors
from tunnels.domain.findings import refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A platform and one of its versions."""

    platform: Platform
    version: str

    @property
    def vendor(self) -> str:
        """Who makes it."""
        return self.platform.vendor

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """All platforms of the vendor."""
        return vendors()[self.vendor]

    @property
    def label(self) -> str:
        """What was chosen, in words: `strongSwan swanctl.conf 5.9+`."""
        return f"{self.platform.vendor} {self.platform.name} {self.version}"


def suggest(asked: Mapping[str, str], *, remembered: str) -> Choice:
    """What to show for an address with these parameters, however incomplete.

    The three lists depend on one another, and without JavaScript they are sent before they agree: a later one that
    does not fit an earlier one falls back to the first that does. Nothing asked: the device remembered.
    """
    platform = PLATFORMS.get(asked.get("platform", ""))
    offered = vendors().get(asked.get("vendor", ""))
    if offered is not None and platform not in offered:
        platform = offered[0]
    if platform is None:
        platform = PLATFORMS.get(remembered) or next(iter(PLATFORMS.values()))
    version = asked.get("version", "")
    return Choice(
        platform=platform, version=version if version in platform.versions else platform.versions[0]
    )


def exact(asked: Mapping[str, str]) -> Choice:
    """Exactly what was asked for. Raises RuleError when there is no such platform or version."""
    platform = find_platform(asked.get("platform", ""))
    version = asked.get("version", "")
    if version not in platform.versions:
        raise refuse(
            "unknown-version",
            f"Choose one of these versions: {', '.join(platform.versions)}.",
            field="version",
        )
    return Choice(platform=platform, version=version)
