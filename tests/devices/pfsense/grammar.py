"""Reads the click path as pfSense would take it: the forms of phase 1 and phase 2 and their choices.

Written from vpn_ipsec_phase1.php, vpn_ipsec_phase2.php and ipsec.inc.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from tests.devices.forms import Form, forms_of
from tests.devices.understood import BadFileError, Understood

SILENT = frozenset({"esp_kb", "local_address"})

CIPHERS = {
    "AES, 256 bits": "aes-256", "AES, 192 bits": "aes-192", "AES, 128 bits": "aes-128",
    "AES256-GCM, 128 bits": "aes-256-gcm", "AES128-GCM, 128 bits": "aes-128-gcm",
    "CHACHA20-POLY1305": "chacha20-poly1305",
}  # fmt: skip
AEADS = {"aes-256-gcm", "aes-128-gcm", "chacha20-poly1305"}
HASHES = {"SHA1": "sha1", "SHA256": "sha2-256", "SHA384": "sha2-384", "SHA512": "sha2-512"}
GROUPS = {
    "off": "", "1 (768 bit)": "dh1", "2 (1024 bit)": "dh2", "5 (1536 bit)": "dh5", "14 (2048 bit)": "dh14",
    "15 (3072 bit)": "dh15", "16 (4096 bit)": "dh16", "17 (6144 bit)": "dh17", "18 (8192 bit)": "dh18",
    "19 (nist ecp256)": "dh19", "20 (nist ecp384)": "dh20", "21 (nist ecp521)": "dh21",
    "24 (2048(sub 256) bit)": "dh24", "31 (Elliptic Curve 25519, 256 bit)": "dh31",
}  # fmt: skip
STARTS = {
    "Initiate at start (VTI or Tunnel Mode)": True,
    "Initiate on demand (Tunnel mode only)": False,
}
CLOSES = {"Restart/Reconnect", "Close connection and clear SA"}
VIRTUAL_IP = "Firewall > Virtual IPs, button Add"
IDENTIFIER = re.compile(r"(IP address|Fully qualified domain name): ([0-9A-Za-z.:-]+)")


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """The tunnel that is there when all forms are filled in."""
    [text] = files.values()
    first, *rest = forms_of(text)
    if first.place != "VPN > IPsec > Tunnels, button Add P1":
        raise BadFileError("it does not begin with phase 1")
    name = first.fields["Description"]
    place = f"the new line {name}, Show Phase 2 Entries, button Add P2"
    children = [form for form in rest if form.place == place]
    after = rest[len(children) :]
    if (
        not children
        or rest[: len(children)] != children
        or after[0].place != "VPN > IPsec > Tunnels"
    ):
        raise BadFileError("forms in another order")
    said = [_phase_2(form) for form in children]
    if any(one[0] != said[0][0] for one in said):
        raise BadFileError("phase 2 entries that differ")
    pairs = tuple(sorted(one[1] for one in said))
    owned = [at for at, form in enumerate(after) if form.place == VIRTUAL_IP]
    rules = after[1 : owned[0]] if owned else after[1:]
    _firewall(rules, first.fields["Remote Gateway"], pairs)
    if owned:
        _health(after[owned[0] :], name)
    return Understood(**_phase_1(first), **said[0][0], pairs=pairs)


def _phase_1(form: Form) -> dict[str, Any]:
    fields = form.only(
        "Description", "Key Exchange version", "Internet Protocol", "Interface", "Remote Gateway",
        "Authentication Method", "Negotiation mode", "My identifier", "Peer identifier", "Pre-Shared Key",
        "Encryption Algorithm", "Hash", "DH Group", "Life Time", "Rekey Time", "Reauth Time", "Rand Time",
        "Child SA Start Action", "Child SA Close Action", "MOBIKE", "Split connections", "Dead Peer Detection", "Delay",
        "Max failures",
    )  # fmt: skip
    version = {"IKEv1": 1, "IKEv2": 2}[fields["Key Exchange version"]]
    peer = ipaddress.ip_address(fields["Remote Gateway"])
    if (
        fields["Internet Protocol"] != f"IPv{peer.version}"
        or fields["Authentication Method"] != "Mutual PSK"
    ):
        raise BadFileError("another protocol, or no shared key")
    if (version == 2) != (fields.get("Split connections") == "on"):
        raise BadFileError("the pairs would be combined")
    if (version == 1) != ("Negotiation mode" in fields) or (version == 2) != (
        "Rekey Time" in fields
    ):
        raise BadFileError("a field that this version hides")
    if fields["Child SA Close Action"] not in CLOSES or fields["DH Group"] == "off":
        raise BadFileError("no such choice")
    dpd = {"on": True, "off": False}[fields["Dead Peer Detection"]]
    if dpd != {"Delay", "Max failures"}.issubset(fields):
        raise BadFileError("DPD without its times")
    renew = int(fields["Rekey Time" if version == 2 else "Reauth Time"])
    seconds = int(fields["Life Time"])
    if not 0 < renew < seconds:
        raise BadFileError("it ends before it is renewed")
    encryption, hashed = CIPHERS[fields["Encryption Algorithm"]], HASHES[fields["Hash"]]
    aead = encryption in AEADS
    return {
        "version": version,
        "mode": fields["Negotiation mode"].lower() if version == 1 else None,
        "ike_encryption": encryption,
        "ike_integrity": None if aead else hashed,
        "ike_prf": hashed if aead else None,
        "ike_dh": GROUPS[fields["DH Group"]],
        "ike_seconds": seconds,
        "remote_address": str(peer),
        "local_identity": _identity(fields["My identifier"]),
        "remote_identity": _identity(fields["Peer identifier"]),
        "psk": fields["Pre-Shared Key"],
        "dpd": dpd,
        "starts": STARTS[fields["Child SA Start Action"]],
    }


def _phase_2(form: Form) -> tuple[dict[str, Any], tuple[str, str]]:
    """(what all entries share, pair)."""
    fields = form.only(
        "Description", "Mode", "Local Network", "NAT/BINAT translation", "Remote Network", "Protocol",
        "Encryption Algorithms", "Hash Algorithms", "PFS key group", "Life Time", "Rekey Time", "Rand Time",
        "Automatically ping host", "Keep Alive",
    )  # fmt: skip
    local, remote = (
        ipaddress.ip_network(fields[name].removeprefix("Network "))
        for name in ("Local Network", "Remote Network")
    )
    if fields["Mode"] != f"Tunnel IPv{local.version}" or local.version != remote.version:
        raise BadFileError("another family")
    if fields["NAT/BINAT translation"] != "None" or fields["Protocol"] != "ESP":
        raise BadFileError("translated, or not encrypted")
    if not 0 < int(fields["Rekey Time"]) < int(fields["Life Time"]):
        raise BadFileError("it ends before it is renewed")
    encryption = CIPHERS[fields["Encryption Algorithms"]]
    if (encryption in AEADS) == ("Hash Algorithms" in fields):
        raise BadFileError("a hash too many, or none")
    shared: dict[str, Any] = {
        "esp_encryption": encryption,
        "esp_integrity": HASHES[fields["Hash Algorithms"]] if encryption not in AEADS else None,
        "pfs": GROUPS[fields["PFS key group"]],
        "esp_seconds": int(fields["Life Time"]),
    }
    return shared, (str(local), str(remote))


def _identity(text: str) -> str:
    found = IDENTIFIER.fullmatch(text)
    if not found:
        raise BadFileError("no identifier")
    return str(ipaddress.ip_address(found[2])) if found[1] == "IP address" else found[2]


def _firewall(forms: list[Form], peer: str, pairs: tuple[tuple[str, str], ...]) -> None:
    """IKE, NAT traversal and ESP come in from the peer, and its ranges reach ours."""
    let_in = [
        (form.fields["Protocol"], form.fields.get("Destination Port Range"))
        for form in forms
        if form.fields["Source"] == f"Address or Alias {peer}"
    ]
    through = sorted(
        (_whom(form, "Destination"), _whom(form, "Source"))
        for form in forms
        if form.place == "Firewall > Rules > IPsec, button Add"
    )
    wanted = [("UDP", "ISAKMP (500)"), ("UDP", "IPsec NAT-T (4500)"), ("ESP", None)]
    if let_in != wanted or tuple(through) != pairs or len(forms) != len(wanted) + len(pairs):
        raise BadFileError("the firewall stays closed, or opens too far")


def _whom(form: Form, label: str) -> str:
    """The range of a rule; the list of masks goes from /128 to /1."""
    value = form.fields[label]
    if value == "Any":
        return {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}[form.fields["Address Family"]]
    network = ipaddress.ip_network(value.removeprefix("Network "))
    if not network.prefixlen:
        raise BadFileError("no such mask")
    return str(network)


def _health(forms: list[Form], name: str) -> None:
    """The device owns an address, and takes part in link-local traffic when it is such a one."""
    owned, *rest = forms
    fields = owned.only("Type", "Interface", "Address(es)", "Description")
    address = ipaddress.ip_network(fields["Address(es)"])
    said = (fields["Type"], fields["Interface"], fields["Description"])
    if address.num_addresses != 1 or said != ("IP Alias", "Localhost", name):
        raise BadFileError("no address of its own")
    allowed = [("System > Advanced > Firewall & NAT", {"Allow APIPA": "on"})]
    if [(form.place, form.fields) for form in rest] != (allowed if address.is_link_local else []):
        raise BadFileError("link-local traffic is dropped, or let through for nothing")
