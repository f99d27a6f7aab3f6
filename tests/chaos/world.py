"""What there is in the rig: two customers, and a few tunnels of different kinds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings, Negotiation
from tunnels.lab import BRANCH, GATEWAY, SidePlan

# A peer that does not answer is given up after a second instead of three minutes.
QUICK = ("retransmit_tries = 2", "retransmit_timeout = 0.3", "retransmit_base = 1")

GATEWAY_SIDE = replace(GATEWAY, lan=(), settings=QUICK)
BRANCH_SIDE = replace(BRANCH, addresses=("203.0.113.20", "203.0.113.21"), lan=(), settings=QUICK)
OFFICE_SIDE = SidePlan(name="office", addresses=("203.0.113.30",), settings=QUICK)

# No SA grows so old in a run that it is renewed: what changes has been disturbed.
LIFETIME_SECONDS = 28_800
# A rule that is added to the first tunnel and taken away again.
EXTRA = "10.0.5.0/24 192.168.5.0/24"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One tunnel to make. `rules` are local range and remotes; `address` is the customer's."""

    name: str
    address: str
    rules: tuple[str, ...]
    psk: str
    version: int = 2
    negotiation: str = "active"
    local_fqdn: str = ""
    remote_fqdn: str = ""
    health: bool = False
    extra: bool = False
    tags: dict[str, str] = field(default_factory=dict)

    def ike(self) -> IkeSettings:
        """Step 3."""
        return IkeSettings(
            version=IkeVersion(self.version),
            encryption="aes-256",
            integrity="sha2-256",
            dh_group="dh19",
            lifetime_seconds=LIFETIME_SECONDS,
            negotiation=Negotiation(self.negotiation),
            local_fqdn=self.local_fqdn,
            remote_fqdn=self.remote_fqdn,
        )

    def ipsec(self) -> IpsecSettings:
        """Step 4."""
        return IpsecSettings(
            encryption="aes-128", integrity="sha2-256", pfs="", lifetime_seconds=LIFETIME_SECONDS
        )


TUNNELS = (
    Wanted(
        name="two-ranges", address="203.0.113.20", psk="chaos-key-of-two-ranges",
        rules=("10.0.0.0/24 192.168.0.0/24 192.168.1.0/24",), health=True, extra=True,
    ),
    Wanted(
        name="older", address="203.0.113.21", psk="chaos-key-of-older",
        rules=("10.0.1.0/24 192.168.10.0/24",), version=1,
    ),
    Wanted(
        name="other", address="203.0.113.30", psk="chaos-key-of-other",
        rules=("10.0.2.0/24 192.168.20.0/24",),
    ),
)  # fmt: skip
