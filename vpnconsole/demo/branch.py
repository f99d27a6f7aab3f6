"""The admin of the branch office: installs the customer file of each tunnel that ends there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import QuerySet

from tunnels.devices.base import render
from tunnels.devices.strongswan_swanctl.platform import PLATFORM as SWANCTL
from tunnels.domain.addresses import Network
from tunnels.lab import Lab, LabError, Side
from tunnels.models import Tunnel
from tunnels.services.access import SystemActor
from tunnels.services.actions import record_download
from tunnels.services.specs import spec_of

ADMIN = SystemActor(name="branch office")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What one tunnel needs in the lab: the file, and inner addresses of both ends. `text` holds the key."""

    name: str
    filename: str
    text: str = field(repr=False)
    branch: frozenset[str]
    gateway: frozenset[str]


class BranchAdmin:
    """`step` looks what tunnels there are, and does at the branch what changed since the last time."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._seen: list[tuple[str, int]] | None = None
        self._installed: dict[str, Installation] = {}

    def step(self) -> list[str]:
        """Install what is new or changed, remove what is gone (one query when nothing did). A sentence for each."""
        tunnels = _tunnels(self._lab)
        seen = list(tunnels.values_list("public_id", "revision"))
        if seen == self._seen:
            return []
        self._seen = seen
        wanted = {
            tunnel.public_id: (tunnel, installation_of(tunnel))
            for tunnel in tunnels.select_related("vpn_gateway", "customer_gateway", "ike", "ipsec")
        }
        said = [self._remove(name) for name in sorted(self._installed.keys() - wanted.keys())]
        for name, (tunnel, installation) in wanted.items():
            if self._installed.get(name) != installation:
                said.append(self._install(tunnel, installation))
        return said

    def reload(self) -> None:
        """Load the files again, into a charon that was started again. Raises LabError."""
        self._lab.branch.swanctl("--load-all")

    def _install(self, tunnel: Tunnel, new: Installation) -> str:
        old = self._installed.get(tunnel.public_id)
        self._installed[tunnel.public_id] = new
        record_download(
            actor=ADMIN,
            tunnel=tunnel,
            platform=SWANCTL.id,
            label=f"{SWANCTL.vendor}, {SWANCTL.name}",
            redacted=False,
        )
        try:
            self._own_addresses(old)
            self._lab.branch.install(new.text, new.filename)
        except LabError as error:
            reason = str(error).splitlines()[0]
            return f"The branch office could not install the file of {new.name}: {reason}"
        return f"The branch office installed the {'' if old is None else 'changed '}file of {new.name}."

    def _remove(self, tunnel: str) -> str:
        old = self._installed.pop(tunnel)
        branch = self._lab.branch
        try:
            branch.uninstall(old.filename)
            branch.swanctl("--terminate", "--ike", tunnel, check=False)
            self._own_addresses(old)
        except LabError as error:
            reason = str(error).splitlines()[0]
            return f"The branch office could not remove the file of {old.name}: {reason}"
        return f"The branch office removed the file of {old.name}."

    def _own_addresses(self, before: Installation | None) -> None:
        """Give both ends the addresses of all tunnels, and take away those that only `before` wanted."""
        every = self._installed.values()
        for side, owned, wanted in (
            (self._lab.branch, before and before.branch, [one.branch for one in every]),
            (self._lab.gateway, before and before.gateway, [one.gateway for one in every]),
        ):
            _own(side, wanted=frozenset().union(*wanted), before=owned or frozenset())


def installation_of(tunnel: Tunnel) -> Installation:
    """The file as the page's download gives it (its date is the tunnel's, so that equal means unchanged)."""
    spec = spec_of(tunnel)
    file = render(
        SWANCTL,
        spec,
        version=SWANCTL.versions[0],
        redacted=False,
        now=tunnel.created_at,
        console_version=settings.CONSOLE_VERSION,
    )
    branch, gateway = (
        {host for network in networks if (host := _host(network))}
        for networks in (
            [mapping.remote for mapping in spec.mappings],
            # The agent itself gives its host the address that probes.
            [rule.local for rule in spec.rules],
        )
    )
    if spec.health:
        branch.add(str(spec.health.remote))
    return Installation(
        name=spec.name,
        filename=file.files[0].filename,
        text=file.text,
        branch=frozenset(branch),
        gateway=frozenset(gateway),
    )


def _tunnels(lab: Lab) -> QuerySet[Tunnel]:
    return Tunnel.objects.filter(
        vpn_gateway__public_ip__in=lab.gateway.addresses,
        customer_gateway__public_ip__in=lab.branch.addresses,
    ).order_by("pk")


def _host(network: Network) -> str:
    """The first address of a range that a host may have; "" for a default route, which any address is in."""
    if network.prefixlen == 0:
        return ""
    single = network.max_prefixlen - network.prefixlen <= 1
    return str(network.network_address + (0 if single else 1))


def _own(side: Side, *, wanted: Iterable[str], before: frozenset[str]) -> None:
    for address in sorted(wanted):
        side.add_address(address)
    for address in sorted(before.difference(wanted)):
        side.run(["ip", "address", "del", address, "dev", "lo"], check=False)
