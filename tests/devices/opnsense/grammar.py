"""Reads the click path as OPNsense would take it: its forms, their choices, its fixed lists of proposals.

Written from the forms and models of OPNsense core: Swanctl.xml, IPsec.xml, IPsecProposalField.php, Filter.xml and
Filter.php.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from tests.devices.forms import Form, forms_of
from tests.devices.understood import BadFileError, Understood

# A child has neither a lifetime nor a volume, only a rekey time.
SILENT = frozenset({"esp_seconds", "esp_kb"})

CIPHERS = {
    "aes256": "aes-256", "aes192": "aes-192", "aes128": "aes-128", "aes256gcm16": "aes-256-gcm",
    "aes128gcm16": "aes-128-gcm", "chacha20poly1305": "chacha20-poly1305",
}  # fmt: skip
HASHES = {"sha1": "sha1", "sha256": "sha2-256", "sha384": "sha2-384", "sha512": "sha2-512"}
GROUPS = {
    "modp1024": "dh2", "modp1536": "dh5", "modp2048": "dh14", "modp3072": "dh15", "modp4096": "dh16",
    "modp6144": "dh17", "modp8192": "dh18", "ecp256": "dh19", "ecp384": "dh20", "ecp521": "dh21", "x25519": "dh31",
}  # fmt: skip
STRONG = [group for group in GROUPS if group not in {"modp1024", "modp1536"}]
SHA2 = ["sha256", "sha384", "sha512"]
WEAK = {
    "aes256-sha1-modp2048", "aes192-sha1-modp2048", "aes128-sha1-modp2048", "aes256-sha1-modp4096",
    "aes256-sha1-ecp521", "aes256-sha256-modp1024", "aes256-sha512-modp1024", "aes256-sha256-modp1536",
    "aes128-sha256-modp1536", "aes256gcm16-sha256-modp1536",
}  # fmt: skip
PHASE_1 = (
    WEAK
    | {
        f"{cipher}-{name}-{group}"
        for cipher in CIPHERS
        if cipher != "chacha20poly1305"
        for name in SHA2
        for group in STRONG
    }
    | {f"chacha20poly1305-{name}-x25519" for name in SHA2}
)
PHASE_2 = (
    WEAK
    | {f"{cipher}-{name}-{group}" for cipher in ("aes256", "aes192", "aes128") for name in SHA2 for group in STRONG}
    | {f"{cipher}-{group}" for cipher in ("aes256gcm16", "aes128gcm16") for group in STRONG}
    | {"aes256gcm16", "chacha20poly1305", "chacha20poly1305-x25519", "aes256-sha1", "aes256-sha256"}
)  # fmt: skip
IDENTIFIER = re.compile(r"[0-9a-zA-Z.\-_:@]{1,1024}")
LONGEST = 500_000
VIRTUAL_IP = "Interfaces > Virtual IPs > Settings, button +"
SINGLE = "Single host or Network "


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """The tunnel that is there when all forms are filled in."""
    [text] = files.values()
    forms = forms_of(text)
    key, connection, local, remote, *rest = forms
    children = [form for form in rest if form.place.startswith("the same page, Children")]
    places = [form.place for form in (key, connection, local, remote)]
    if places != [
        "VPN > IPsec > Pre-Shared Keys, button +",
        "VPN > IPsec > Connections, button +, advanced mode on",
        "the same page, Local Authentication, button +",
        "the same page, Remote Authentication, button +",
    ]:
        raise BadFileError("other forms")
    after = rest[len(children) :]
    if (
        not children
        or rest[: len(children)] != children
        or after[0].fields != {"Enable IPsec": "on"}
    ):
        raise BadFileError("forms in another order")
    device = local.only("Authentication", "ID")["ID"]
    gateway = remote.only("Authentication", "Id")["Id"]
    keyed = key.only(
        "Local Identifier", "Remote Identifier", "Pre-Shared Key", "Type", "Description",
    )  # fmt: skip
    if (keyed["Local Identifier"], keyed["Remote Identifier"]) != (device, gateway):
        raise BadFileError("the key is another connection's")
    if not IDENTIFIER.fullmatch(device) or not IDENTIFIER.fullmatch(gateway):
        raise BadFileError("no identifier")
    said = [_child(child) for child in children]
    esp, starts = {one[0] for one in said}, {one[1] for one in said}
    if len(esp) != 1 or len(starts) != 1:
        raise BadFileError("children that differ")
    pairs = tuple(sorted(one[2] for one in said))
    address, peer = connection.fields["Local addresses"], connection.fields["Remote addresses"]
    owned = [at for at, form in enumerate(after) if form.place == VIRTUAL_IP]
    _firewall(after[1 : owned[0]] if owned else after[1:], peer, pairs)
    if owned:
        _health(after[owned[0] :])
    [proposal] = esp
    return Understood(
        **_ike(connection),
        **_esp(proposal),
        local_address=str(ipaddress.ip_address(address)),
        remote_address=str(ipaddress.ip_address(peer)),
        local_identity=device,
        remote_identity=gateway,
        psk=keyed["Pre-Shared Key"],
        pairs=pairs,
        starts=starts.pop(),
    )


def _ike(form: Form) -> dict[str, Any]:
    fields = form.only(
        "Proposals", "Version", "Aggressive", "MOBIKE", "Local addresses", "Remote addresses", "Rekey time (s)",
        "Over time (s)", "DPD delay (s)", "DPD timeout (s)", "Keyingtries", "Description",
    )  # fmt: skip
    version = {"IKEv1": 1, "IKEv2": 2}[fields["Version"]]
    if fields["Proposals"] not in PHASE_1:
        raise BadFileError(f"not in the list: {fields['Proposals']}")
    cipher, name, group = fields["Proposals"].split("-")
    aead = cipher.endswith(("gcm16", "poly1305"))
    mode = None
    if version == 1:
        mode = {"on": "aggressive", "off": "main"}[fields["Aggressive"]]
    return {
        "version": version,
        "mode": mode,
        "ike_encryption": CIPHERS[cipher],
        "ike_integrity": None if aead else HASHES[name],
        "ike_prf": HASHES[name] if aead else None,
        "ike_dh": GROUPS[group],
        "ike_seconds": _seconds(fields["Rekey time (s)"]) + _seconds(fields["Over time (s)"]),
        "dpd": "DPD delay (s)" in fields,
    }


def _esp(proposal: str) -> dict[str, Any]:
    if proposal not in PHASE_2:
        raise BadFileError(f"not in the list: {proposal}")
    cipher, *others = proposal.split("-")
    groups = [word for word in others if word in GROUPS]
    names = [word for word in others if word in HASHES]
    return {
        "esp_encryption": CIPHERS[cipher],
        "esp_integrity": None if cipher.endswith(("gcm16", "poly1305")) else HASHES[names[0]],
        "pfs": GROUPS[groups[0]] if groups else "",
    }


def _child(form: Form) -> tuple[str, bool, tuple[str, str]]:
    """(proposal, whether it begins, pair)."""
    fields = form.only(
        "Mode", "Policies", "Start action", "Close action", "DPD action", "ESP proposals", "Local", "Remote",
        "Rekey time (s)", "Description",
    )  # fmt: skip
    if fields["Mode"] != "Tunnel" or fields["Policies"] != "on":
        raise BadFileError("no tunnel")
    starts = {"Start": True, "Trap": False}[fields["Start action"]]
    if starts != (fields.get("Close action") == "Start"):
        raise BadFileError("begins once and never again")
    if fields.get("DPD action", "Clear") not in {"Clear", "Start"}:
        raise BadFileError("no such DPD action")
    _seconds(fields["Rekey time (s)"])
    pair = (str(ipaddress.ip_network(fields["Local"])), str(ipaddress.ip_network(fields["Remote"])))
    return fields["ESP proposals"], starts, pair


def _firewall(forms: list[Form], peer: str, pairs: tuple[tuple[str, str], ...]) -> None:
    """IKE, NAT traversal and ESP come in from the peer, and its ranges reach ours."""
    rules = [_rule(form) for form in forms]
    outside = rules[0][0]
    address = f"{outside} address"
    wanted = [
        (outside, "UDP", peer, address, "500"),
        (outside, "UDP", peer, address, "4500"),
        (outside, "ESP", peer, address, None),
    ]
    through = [rule for rule in rules if rule[0] == "IPsec encapsulation"]
    allowed = sorted(
        (local, remote)
        for _, protocol, remote, local, port in through
        if (protocol, port) == ("any", None)
    )
    if rules[:3] != wanted or tuple(allowed) != pairs or len(rules) != len(wanted) + len(pairs):
        raise BadFileError("the firewall stays closed, or opens too far")


def _rule(form: Form) -> tuple[str, str, str, str, str | None]:
    """(interface, protocol, source, destination, port). Filter.php refuses addresses of another family."""
    fields = form.only(
        "Action", "Interface", "Version", "Protocol", "Source", "Destination", "Destination Port", "Description",
    )  # fmt: skip
    if form.place != "Firewall > Rules, button +" or fields["Action"] != "Pass":
        raise BadFileError("no rule that lets anything pass")
    ends = [fields[end].removeprefix(SINGLE) for end in ("Source", "Destination")]
    for end, said in zip(ends, (fields["Source"], fields["Destination"]), strict=True):
        if said != end and fields["Version"] != f"IPv{ipaddress.ip_network(end).version}":
            raise BadFileError("an address of another family")
    return (
        fields["Interface"],
        fields["Protocol"],
        ends[0],
        ends[1],
        fields.get("Destination Port"),
    )


def _health(forms: list[Form]) -> None:
    """The device owns one address more."""
    [form] = forms
    fields = form.only("Mode", "Interface", "Network / Address", "Description")
    address = ipaddress.ip_network(fields["Network / Address"])
    if address.num_addresses != 1 or (fields["Mode"], fields["Interface"]) != (
        "IP Alias",
        "Loopback",
    ):
        raise BadFileError("no address of its own")


def _seconds(text: str) -> int:
    if not re.fullmatch("[0-9]{1,6}", text) or int(text) > LONGEST:
        raise BadFileError("no number of seconds")
    return int(text)
