"""OPNsense, VPN > IPsec > Connections: a click path, because restoring a configuration area would replace the others.

Labels and limits are those of OPNsense core (August 2026): the forms dialogConnection, dialogLocal, dialogRemote,
dialogChild, dialogPSK, dialogFilterRule and dialogVip, and the models Swanctl.xml, IPsec.xml and Filter.xml. Below
them is strongSwan: what a field means is told in swanctl.conf(5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tunnels.devices.base import SAFE_MSS, Order, Part, Platform
from tunnels.devices.heading import commented, heading
from tunnels.devices.opnsense.lists import ABILITIES, esp_proposal, proposal, unsupported
from tunnels.devices.questions import Question
from tunnels.devices.rendering import fill
from tunnels.devices.steps import Entry, Path, numbered
from tunnels.devices.viewpoint import Pair, Viewpoint, customer_viewpoint
from tunnels.domain.addresses import is_default_route
from tunnels.domain.proposals import DpdAction, IkeVersion, Mode
from tunnels.domain.spec import TunnelSpec

Form = tuple[str, Iterable[Entry], str]


def losses(spec: TunnelSpec) -> list[str]:
    """What the forms say only in part, and what the tunnel would take that nobody means."""
    seconds, ike = spec.ipsec.lifetime_seconds, spec.ike
    rekey = (
        f"A child has only a rekey time: with {_rekey(seconds)} s it is renewed before, and ended at, "
        f"the agreed {seconds} s."
    )
    sentences = [rekey]
    if ike.dpd_enabled and ike.version is IkeVersion.V2:
        sentences.append(
            f"With IKEv2 there is no DPD timeout ({ike.dpd_timeout} s was agreed): a silent peer is given up after "
            "the retransmissions, some 165 s."
        )
    if any(is_default_route(pair.remote) for pair in customer_viewpoint(spec).pairs):
        sentences.append(
            "The range of the VPN gateway is everything: what this device sends from your ranges goes into the tunnel, "
            "its answers to your own network too. First enter your networks under VPN > IPsec > Mobile & Advanced "
            "Settings, Passthrough networks, or you may lock yourself out."
        )
    return sentences


def write(order: Order) -> str:
    """The text of the click path."""
    spec, view = order.spec, customer_viewpoint(order.spec)
    forms: list[Form] = [
        ("VPN > IPsec > Pre-Shared Keys, button +", _key(spec, view), "Save"),
        ("VPN > IPsec > Connections, button +, advanced mode on", _connection(spec, view), "Save"),
        (
            "the same page, Local Authentication, button +",
            _authentication("ID", view.device.identity.text),
            "Save",
        ),
        (
            "the same page, Remote Authentication, button +",
            _authentication("Id", view.gateway.identity.text),
            "Save",
        ),
        *(
            (
                "the same page, Children, button +, advanced mode on",
                _child(pair, spec, view),
                "Save",
            )
            for pair in view.pairs
        ),
        ("VPN > IPsec > Connections", (Entry(label="Enable IPsec", value="on"),), "Apply"),
        *_firewall(spec, view, order.answers[WAN.id]),
        *_health(spec, view),
    ]
    return fill(
        "opnsense/template.txt.j2",
        Path(heading=commented(_heading(order, view), "#"), steps=numbered(forms)),
    )


def _heading(order: Order, view: Viewpoint) -> tuple[str, ...]:
    load = (
        "In the web interface of OPNsense: fill in the forms below in their order, and leave all other fields as "
        "they are."
    )
    verify = (
        "VPN > IPsec > Status Overview: the connection is up and each pair has an entry below it.",
        "VPN > IPsec > Log File tells why when it is not.",
    )
    tunnel = order.spec.id
    remove = [
        f"VPN > IPsec > Connections: delete {tunnel}.",
        f"VPN > IPsec > Pre-Shared Keys: delete the one described as {tunnel}.",
        f"Firewall > Rules: delete those whose description begins with {tunnel}.",
    ]
    if view.probe:
        remove.append(f"Interfaces > Virtual IPs > Settings: delete the one described as {tunnel}.")
    remove.append("Apply each.")
    return heading(
        order, before=_before(view), load=[load], verify=verify, around=_around(), remove=remove
    )


def _before(view: Viewpoint) -> Iterator[str]:
    if view.device.address.version == 4:
        yield (
            f"Local addresses: when this device is behind NAT, replace {view.device.address} by the address of its own "
            "interface; the identifiers stay as they are."
        )


def _around() -> Iterator[str]:
    yield "Firewall: in 26.1, the page of the rules is called Rules [new]."
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
        "Large TCP packets, when connections hang: Firewall > Settings > Normalization, the same interface as in the "
        f"last rules below, Max mss {SAFE_MSS}."
    )


def _key(spec: TunnelSpec, view: Viewpoint) -> Iterator[Entry]:
    yield Entry(label="Local Identifier", value=view.device.identity.text)
    yield Entry(label="Remote Identifier", value=view.gateway.identity.text)
    yield Entry(label="Pre-Shared Key", value=spec.psk.reveal())
    yield Entry(label="Type", value="PSK")
    yield Entry(label="Description", value=spec.id)


def _connection(spec: TunnelSpec, view: Viewpoint) -> Iterator[Entry]:
    ike = spec.ike
    yield Entry(label="Proposals", value=proposal(ike), why=_alone(ike.dh_group))
    yield Entry(label="Version", value=f"IKEv{int(ike.version)}")
    if ike.version is IkeVersion.V1:
        yield Entry(label="Aggressive", value="on" if ike.mode is Mode.AGGRESSIVE else "off")
    else:
        yield Entry(label="MOBIKE", value="off", why="both ends have static addresses")
    yield Entry(label="Local addresses", value=str(view.device.address))
    yield Entry(label="Remote addresses", value=str(view.gateway.address))
    renew = ike.lifetime_seconds * 9 // 10
    yield Entry(
        label="Rekey time (s)", value=str(renew), why=f"90 % of the agreed {ike.lifetime_seconds} s"
    )
    yield Entry(label="Over time (s)", value=str(ike.lifetime_seconds - renew))
    if ike.dpd_enabled:
        yield Entry(label="DPD delay (s)", value=str(ike.dpd_timeout // 3))
        if ike.version is IkeVersion.V1:
            yield Entry(label="DPD timeout (s)", value=str(ike.dpd_timeout))
    yield Entry(label="Keyingtries", value="0", why="never give up")
    yield Entry(label="Description", value=spec.id)


def _authentication(label: str, identity: str) -> Iterator[Entry]:
    yield Entry(label="Authentication", value="Pre-Shared Key")
    yield Entry(label=label, value=identity)


def _child(pair: Pair, spec: TunnelSpec, view: Viewpoint) -> Iterator[Entry]:
    ike, ipsec = spec.ike, spec.ipsec
    yield Entry(label="Mode", value="Tunnel")
    yield Entry(label="Policies", value="on")
    if view.starts:
        yield Entry(label="Start action", value="Start", why="the VPN gateway waits for you")
        yield Entry(label="Close action", value="Start")
    else:
        yield Entry(label="Start action", value="Trap", why="begin as soon as there is traffic")
    if ike.dpd_enabled:
        restart = view.starts and ike.dpd_action is DpdAction.RESTART
        yield Entry(label="DPD action", value="Start" if restart else "Clear")
    yield Entry(
        label="ESP proposals", value=esp_proposal(ipsec, ike.version), why=_alone(ipsec.pfs)
    )
    yield Entry(label="Local", value=str(pair.local))
    yield Entry(label="Remote", value=str(pair.remote))
    yield Entry(label="Rekey time (s)", value=str(_rekey(ipsec.lifetime_seconds)))
    yield Entry(label="Description", value=pair.name)


def _firewall(spec: TunnelSpec, view: Viewpoint, wan: str) -> Iterator[Form]:
    peer = view.gateway.address
    for protocol, port in (("UDP", "500"), ("UDP", "4500"), ("ESP", "")):
        yield _rule(
            Entry(label="Interface", value=wan),
            Entry(label="Version", value=f"IPv{peer.version}"),
            Entry(label="Protocol", value=protocol),
            Entry(label="Source", value=f"Single host or Network {peer}"),
            Entry(label="Destination", value=f"{wan} address"),
            *((Entry(label="Destination Port", value=port),) if port else ()),
            Entry(label="Description", value=spec.id),
        )
    for pair in view.pairs:
        # Replies find their way by state; this is for what begins on the other side.
        yield _rule(
            Entry(label="Interface", value="IPsec encapsulation", why="older releases: IPsec"),
            # A range is refused when it is not of the rule's family, which is IPv4 unless told otherwise.
            Entry(label="Version", value=f"IPv{pair.local.version}"),
            Entry(label="Protocol", value="any"),
            Entry(label="Source", value=f"Single host or Network {pair.remote}"),
            Entry(label="Destination", value=f"Single host or Network {pair.local}"),
            Entry(label="Description", value=pair.name),
        )


def _rule(interface: Entry, *others: Entry) -> Form:
    action = Entry(label="Action", value="Pass")
    return "Firewall > Rules, button +", (interface, action, *others), "Save, then Apply"


def _health(spec: TunnelSpec, view: Viewpoint) -> Iterator[Form]:
    if view.probe:
        asked, _ = view.probe
        entries = (
            Entry(label="Mode", value="IP Alias"),
            Entry(label="Interface", value="Loopback"),
            Entry(
                label="Network / Address",
                value=f"{asked}/{asked.max_prefixlen}",
                why="leave this form out when the device has it already",
            ),
            Entry(label="Description", value=spec.id),
        )
        yield "Interfaces > Virtual IPs > Settings, button +", entries, "Save, then Apply"


def _rekey(seconds: int) -> int:
    # charon ends a CHILD_SA after 1.1 times its rekey time unless told otherwise, and no form tells it.
    return seconds * 10 // 11


def _alone(group: str) -> str:
    """Several may be chosen, and at first one that stands for many is."""
    alone = "and no other, default neither"
    return f"{alone}; the list may write curve25519" if group == "dh31" else alone


WAN = Question(
    id="wan",
    label="Interface towards the Internet",
    usual="WAN",
    grammar=re.compile(r"[A-Za-z0-9_]{1,32}", re.ASCII),
    help="Its name as it stands under Firewall > Rules.",
)

PLATFORM = Platform(
    id="opnsense",
    vendor="OPNsense",
    name="web interface",
    abilities={"26.x": ABILITIES},
    parts=(Part(filename="{tunnel_id}-opnsense.txt", write=write),),
    questions=(WAN,),
    unsupported=unsupported,
    losses=losses,
)
PLATFORMS = (PLATFORM,)
