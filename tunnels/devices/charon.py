"""What strongSwan's daemon charon can do, for both files that it is configured by, and when it renews.

Algorithms are those of the proposals in swanctl.conf(5): the catalogue's keywords are charon's own.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final

from tunnels.devices import linux
from tunnels.devices.abilities import (
    Abilities,
    PskGrammar,
    esp_phases,
    ike_phases,
    whole_catalogue,
)
from tunnels.devices.viewpoint import customer_viewpoint
from tunnels.domain.proposals import (
    IKE_LIFETIME_SECONDS,
    IPSEC_LIFETIME_KB,
    IPSEC_LIFETIME_SECONDS,
    DpdAction,
    IkeVersion,
)
from tunnels.domain.spec import TunnelSpec


def margin(lifetime: int) -> int:
    """What is left of a lifetime, in any unit, when charon is to renew it: a tenth.

    charon begins up to as much again before that, at random, so that both ends seldom begin together.
    """
    return lifetime // 10


def losses(spec: TunnelSpec) -> list[str]:
    """What charon does differently from what was agreed."""
    ike, view = spec.ike, customer_viewpoint(spec)
    sentences = list(
        linux.swallowing(
            view,
            first="let charon load its plugin bypass-lan (load = yes in strongswan.d/charon/bypass-lan.conf)",
        )
    )
    if ike.dpd_enabled and ike.version is IkeVersion.V2:
        sentences.append(
            f"With IKEv2, strongSwan knows no DPD timeout ({ike.dpd_timeout} s was agreed): it gives a silent peer up "
            "after its retransmissions, some 165 s unless strongswan.conf changes them."
        )
    if ike.dpd_enabled and ike.dpd_action is DpdAction.CLEAR and view.starts:
        sentences.append(
            "The VPN gateway only waits, and a silent peer is forgotten (DPD action clear): after an outage somebody "
            "must start the tunnel on this device again. DPD action restart does that by itself."
        )
    return sentences


_KEYWORD: Final = attrgetter("keyword")
# Whatever the console offers, charon does.
EVERYTHING: Final = Abilities(
    ike=ike_phases(whole_catalogue(_KEYWORD, IKE_LIFETIME_SECONDS)),
    esp=esp_phases(whole_catalogue(_KEYWORD, IPSEC_LIFETIME_SECONDS)),
    lifetime_kb=IPSEC_LIFETIME_KB,
    psk=PskGrammar(),
    main_mode_names=True,
)
