"""pfSense, VPN > IPsec > Tunnels: a click path, because restoring the IPsec area would replace all other tunnels.

Labels and choices are those of pfSense (March 2026): vpn_ipsec_phase1.php, vpn_ipsec_phase2.php and ipsec.inc. Below
them is strongSwan. Without *Split connections* pfSense joins all phase 2 entries of an IKEv2 tunnel into one
CHILD_SA, and that would combine all ranges of one side with all of the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tunnels.devices.abilities import Abilities, Phase, PskGrammar, esp_phases, ike_phases
from tunnels.devices.base import SAFE_MSS, Order, Part, Platform
from tunnels.devices.heading import commented, heading
from tunnels.devices.questions import Question
from tunnels.devices.rendering import fill
from tunnels.devices.steps import Entry, Path, numbered
from tunnels.devices.viewpoint import Identity, Pair, Viewpoint, customer_viewpoint
from tunnels.domain import crypto
from tunnels.domain.addresses import Address, Network, is_default_route
from tunnels.domain.proposals import DpdAction, IkeVersion, IpsecSettings, Mode
from tunnels.domain.spec import TunnelSpec

_CIPHERS = {
    # The number behind a GCM is the length of its check value: 128 bits is the one that everybody means (RFC 4106).
    "aes-256-gcm": "AES256-GCM, 128 bits", "aes-128-gcm": "AES128-GCM, 128 bits",
    "chacha20-poly1305": "CHACHA20-POLY1305",
    "aes-256": "AES, 256 bits", "aes-192": "AES, 192 bits", "aes-128": "AES, 128 bits",
}  # fmt: skip
_SHA2 = {"sha2-256": "SHA256", "sha2-384": "SHA384", "sha2-512": "SHA512"}
_HASHES = {"sha1": "SHA1", **_SHA2}
_GROUPS = {
    "dh1": "1 (768 bit)", "dh2": "2 (1024 bit)", "dh5": "5 (1536 bit)", "dh14": "14 (2048 bit)",
    "dh15": "15 (3072 bit)", "dh16": "16 (4096 bit)", "dh17": "17 (6144 bit)", "dh18": "18 (8192 bit)",
    "dh19": "19 (nist ecp256)", "dh20": "20 (nist ecp384)", "dh21": "21 (nist ecp521)",
    "dh24": "24 (2048(sub 256) bit)", "dh31": "31 (Elliptic Curve 25519, 256 bit)",
}  # fmt: skip
# No form has an upper limit; longer lifetimes than ours are not asked for.
_SECONDS = (60, 604_800)
_CLEAR = "Close connection and clear SA"
_ADVANCED = "System > Advanced > Firewall & NAT"

Form = tuple[str, Iterator[Entry], str]


def write(order: Order) -> str:
    """The text of the click path."""
    spec, view = order.spec, customer_viewpoint(order.spec)
    wan = order.answers[WAN.id]
    forms: list[Form] = [
        ("VPN > IPsec > Tunnels, button Add P1", _phase_1(spec, view, wan), "Save"),
        *(
            (
                f"the new line {spec.id}, Show Phase 2 Entries, button Add P2",
                _phase_2(pair, spec, view),
                "Save",
            )
            for pair in view.pairs
        ),
        ("VPN > IPsec > Tunnels", iter(()), "Apply Changes"),
        *_firewall(view, wan),
        *_health(spec, view),
    ]
    return fill(
        "pfsense/template.txt.j2",
        Path(heading=commented(_heading(order, view), "#"), steps=numbered(forms)),
    )


def losses(spec: TunnelSpec) -> list[str]:
    """What the forms say only in part, and what the tunnel would take that nobody means."""
    ike, sentences = spec.ike, []
    if ike.dpd_enabled and ike.version is IkeVersion.V2:
        sentences.append(
            f"With IKEv2 there is no DPD timeout ({ike.dpd_timeout} s was agreed): a silent peer is given up after "
            "the retransmissions, some 165 s."
        )
    if any(is_default_route(pair.remote) for pair in customer_viewpoint(spec).pairs):
        sentences.append(
            "The range of the VPN gateway is everything: what this device sends from your ranges goes into the tunnel, "
            "its answers to your own network too. pfSense exempts only what its LAN sends to it. First add your other "
            "networks under VPN > IPsec > Advanced Settings, Additional IPsec bypass, or you may lock yourself out."
        )
    return sentences


def _heading(order: Order, view: Viewpoint) -> tuple[str, ...]:
    load = (
        "In the web interface of pfSense: fill in the forms below in their order, and leave all other fields as "
        "they are."
    )
    verify = (
        "Status > IPsec: phase 1 is Established and each pair is listed as Installed below it.",
        "Status > System Logs > IPsec tells why when it is not.",
    )
    tunnel = order.spec.id
    remove = [
        f"VPN > IPsec > Tunnels: delete {tunnel} with its phase 2 entries.",
        f"Firewall > Rules: delete those whose description begins with {tunnel}.",
    ]
    if view.probe:
        remove.append(f"Firewall > Virtual IPs: delete the one described as {tunnel}.")
        if view.probe[0].is_link_local:
            remove.append(f"{_ADVANCED}: Allow APIPA off, when nothing else needs it.")
    remove.append("Apply each.")
    return heading(order, load=[load], verify=verify, around=_around(view), remove=remove)


def _around(view: Viewpoint) -> Iterator[str]:
    # Behind phase 1, the phase 2 entries and their application.
    first = len(view.pairs) + 3
    yield (
        f"Firewall: pfSense lets IKE and ESP in by itself. Steps {first} to {first + 2} are for those who have "
        f"switched that off: {_ADVANCED}, Disable Auto-added VPN rules."
    )
    yield (
        "Firewall: the rules of your LAN must let your ranges reach those of the VPN gateway, as the default one does."
    )
    yield (
        "NAT: nothing to do. Outbound NAT on the WAN sees only the encrypted packets; make no rule for interface IPsec."
    )
    yield (
        "Routes: the policies lead the ranges into the tunnel. Other routers of your site need one to each range of "
        "the VPN gateway, with this device as the next hop."
    )
    yield (
        f"Large TCP packets, when connections hang: {_ADVANCED}, Enable Maximum MSS, Maximum MSS {SAFE_MSS}."
    )


def _phase_1(spec: TunnelSpec, view: Viewpoint, wan: str) -> Iterator[Entry]:
    ike = spec.ike
    words = ABILITIES.ike[ike.version]
    yield Entry(label="Description", value=spec.id)
    yield Entry(label="Key Exchange version", value=f"IKEv{int(ike.version)}")
    yield Entry(label="Internet Protocol", value=f"IPv{view.gateway.address.version}")
    yield Entry(label="Interface", value=wan, why=f"the one with {view.device.address}")
    yield Entry(label="Remote Gateway", value=str(view.gateway.address))
    yield Entry(label="Authentication Method", value="Mutual PSK")
    if ike.version is IkeVersion.V1:
        mode = "Aggressive" if ike.mode is Mode.AGGRESSIVE else "Main"
        yield Entry(label="Negotiation mode", value=mode)
    yield Entry(label="My identifier", value=_identifier(view.device.identity))
    yield Entry(label="Peer identifier", value=_identifier(view.gateway.identity))
    yield Entry(label="Pre-Shared Key", value=spec.psk.reveal())
    aead = crypto.is_aead(ike.encryption)
    yield Entry(label="Encryption Algorithm", value=words.encryption[ike.encryption])
    if aead:
        yield Entry(label="Hash", value=words.prf[ike.prf], why="it stands for the PRF")
    else:
        yield Entry(label="Hash", value=words.integrity[ike.integrity])
    yield Entry(label="DH Group", value=words.dh[ike.dh_group])
    yield from _expiration(ike.lifetime_seconds, rekeys=ike.version is IkeVersion.V2)
    yield from _actions(spec, view)


def _identifier(identity: Identity) -> str:
    kind = "IP address" if identity.is_address else "Fully qualified domain name"
    return f"{kind}: {identity.text}"


def _expiration(seconds: int, *, rekeys: bool) -> Iterator[Entry]:
    renew = seconds * 9 // 10
    yield Entry(label="Life Time", value=str(seconds))
    # charon cannot rekey an IKEv1 phase 1, only make it anew; the form then has no other field.
    if rekeys:
        yield Entry(label="Rekey Time", value=str(renew), why="90 %: renewed before it ends")
        yield Entry(label="Reauth Time", value="0")
    else:
        yield Entry(label="Reauth Time", value=str(renew), why="90 %: renewed before it ends")
    yield Entry(label="Rand Time", value=str(seconds - renew))


def _actions(spec: TunnelSpec, view: Viewpoint) -> Iterator[Entry]:
    ike = spec.ike
    if view.starts:
        start = "Initiate at start (VTI or Tunnel Mode)"
        yield Entry(label="Child SA Start Action", value=start, why="the VPN gateway waits for you")
        # What DPD does follows the close action here.
        restart = not ike.dpd_enabled or ike.dpd_action is DpdAction.RESTART
        yield Entry(label="Child SA Close Action", value="Restart/Reconnect" if restart else _CLEAR)
    else:
        yield Entry(label="Child SA Start Action", value="Initiate on demand (Tunnel mode only)")
        yield Entry(label="Child SA Close Action", value=_CLEAR)
    if ike.version is IkeVersion.V2:
        yield Entry(label="MOBIKE", value="Disable", why="both ends have static addresses")
        yield Entry(label="Split connections", value="on", why="keeps the pairs apart")
    if ike.dpd_enabled:
        yield Entry(label="Dead Peer Detection", value="on")
        yield Entry(label="Delay", value=str(ike.dpd_timeout // 3))
        # pfSense waits one delay more than that many failures: three in all.
        yield Entry(label="Max failures", value="2")
    else:
        yield Entry(label="Dead Peer Detection", value="off")


def _phase_2(pair: Pair, spec: TunnelSpec, view: Viewpoint) -> Iterator[Entry]:
    ipsec = spec.ipsec
    words = ABILITIES.esp[spec.ike.version]
    yield Entry(label="Description", value=pair.name)
    yield Entry(label="Mode", value=f"Tunnel IPv{pair.local.version}")
    yield Entry(label="Local Network", value=f"Network {pair.local}")
    yield Entry(label="NAT/BINAT translation", value="None")
    yield Entry(label="Remote Network", value=f"Network {pair.remote}")
    yield Entry(label="Protocol", value="ESP")
    yield Entry(
        label="Encryption Algorithms",
        value=words.encryption[ipsec.encryption],
        why="and no other",
    )
    if not crypto.is_aead(ipsec.encryption):
        yield Entry(
            label="Hash Algorithms", value=words.integrity[ipsec.integrity], why="and no other"
        )
    yield Entry(label="PFS key group", value=_pfs(ipsec, words.dh))
    yield Entry(label="Life Time", value=str(ipsec.lifetime_seconds))
    renew = ipsec.lifetime_seconds * 9 // 10
    yield Entry(label="Rekey Time", value=str(renew), why="90 %: renewed before it ends")
    yield Entry(label="Rand Time", value=str(ipsec.lifetime_seconds - renew))
    if view.probe and view.probe[0] in pair.local and view.probe[1] in pair.remote:
        yield Entry(label="Automatically ping host", value=str(view.probe[1]))
    if view.starts:
        yield Entry(label="Keep Alive", value="on")


def _pfs(ipsec: IpsecSettings, words: Mapping[str, str]) -> str:
    return words[ipsec.pfs] if ipsec.pfs else "off"


def _firewall(view: Viewpoint, wan: str) -> Iterator[Form]:
    place = f"Firewall > Rules > {wan}, button Add"
    for protocol, port in (("UDP", "ISAKMP (500)"), ("UDP", "IPsec NAT-T (4500)"), ("ESP", "")):
        yield place, _let_in(view, wan, protocol, port), "Save, then Apply Changes"
    for pair in view.pairs:
        # Replies find their way by state; this is for what begins on the other side.
        yield "Firewall > Rules > IPsec, button Add", _let_through(pair), "Save, then Apply Changes"


def _let_in(view: Viewpoint, wan: str, protocol: str, port: str) -> Iterator[Entry]:
    yield Entry(label="Action", value="Pass")
    yield Entry(label="Address Family", value=f"IPv{view.gateway.address.version}")
    yield Entry(label="Protocol", value=protocol)
    yield Entry(label="Source", value=f"Address or Alias {view.gateway.address}")
    yield Entry(label="Destination", value=f"{wan} address")
    if port:
        yield Entry(label="Destination Port Range", value=port)
    yield Entry(label="Description", value=view.pairs[0].name.rpartition("-")[0])


def _let_through(pair: Pair) -> Iterator[Entry]:
    yield Entry(label="Action", value="Pass")
    yield Entry(label="Address Family", value=f"IPv{pair.local.version}")
    yield Entry(label="Protocol", value="Any")
    yield Entry(label="Source", value=_whom(pair.remote))
    yield Entry(label="Destination", value=_whom(pair.local))
    yield Entry(label="Description", value=pair.name)


def _whom(network: Network) -> str:
    # The masks to choose from begin at /1.
    return f"Network {network}" if network.prefixlen else "Any"


def _health(spec: TunnelSpec, view: Viewpoint) -> Iterator[Form]:
    """The address that the VPN gateway pings; pfSense drops link-local ones unless it is told not to."""
    if view.probe:
        asked, _ = view.probe
        place = "Firewall > Virtual IPs, button Add"
        yield place, _virtual_ip(asked, spec.id), "Save, then Apply Changes"
        if asked.is_link_local:
            entry = Entry(label="Allow APIPA", value="on", why="else pfSense drops 169.254.0.0/16")
            yield _ADVANCED, iter((entry,)), "Save"


def _virtual_ip(asked: Address, name: str) -> Iterator[Entry]:
    yield Entry(label="Type", value="IP Alias")
    yield Entry(label="Interface", value="Localhost")
    yield Entry(
        label="Address(es)",
        value=f"{asked}/{asked.max_prefixlen}",
        why="leave this form out when the device has it already",
    )
    yield Entry(label="Description", value=name)


_IKE = Phase(
    encryption=_CIPHERS, integrity=_HASHES, prf=_SHA2, dh=_GROUPS, lifetime_seconds=_SECONDS
)
_ESP = Phase(encryption=_CIPHERS, integrity=_HASHES, dh=_GROUPS, lifetime_seconds=_SECONDS)


ABILITIES = Abilities(
    ike=ike_phases(_IKE),
    esp=esp_phases(_ESP),
    lifetime_kb=None,
    # ASCII, and handed on in base64.
    psk=PskGrammar(),
    main_mode_names=True,
    mixed_families=False,
)
WAN = Question(
    id="wan",
    label="Interface towards the Internet",
    usual="WAN",
    grammar=re.compile(r"[A-Za-z0-9_]{1,32}", re.ASCII),
    help="Its name as it stands under Firewall > Rules.",
)

PLATFORM = Platform(
    id="pfsense",
    vendor="pfSense",
    name="web interface",
    abilities={"CE 2.8, Plus 25.x": ABILITIES},
    parts=(Part(filename="{tunnel_id}-pfsense.txt", write=write),),
    questions=(WAN,),
    losses=losses,
)
PLATFORMS = (PLATFORM,)
