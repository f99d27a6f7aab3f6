"""What RouterOS would understand of a script: `/ip ipsec` and the firewall around it.

Written from MikroTik's manual, "IPsec" (Profiles, Proposals, Peers, Identities, Policies). Every object must be there
once, before it is used, and agree with the others.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from tests.devices.mikrotik_routeros.parameters import Parameters, is_address, network
from tests.devices.mikrotik_routeros.script import Add, Command, read_script
from tests.devices.mikrotik_routeros.surroundings import check_surroundings
from tests.devices.understood import BadFileError, Understood

# RouterOS has no lifetime by volume; it begins at once or never, and must begin where both would wait for traffic; and
# with IKEv1 it does not check names.
SILENT = frozenset({"esp_kb", "starts", "remote_identity"})

CIPHERS = {
    "aes-256": "aes-256",
    "aes-192": "aes-192",
    "aes-128": "aes-128",
    "3des": "3des",
    "des": "des",
}
ESP_CIPHERS = {
    "aes-256-cbc": "aes-256", "aes-192-cbc": "aes-192", "aes-128-cbc": "aes-128", "3des": "3des",
    "aes-256-gcm": "aes-256-gcm", "aes-128-gcm": "aes-128-gcm", "chacha20poly1305": "chacha20-poly1305",
}  # fmt: skip
AEAD = {"aes-256-gcm", "aes-128-gcm", "chacha20-poly1305"}
HASHES = {
    "md5": "md5",
    "sha1": "sha1",
    "sha256": "sha2-256",
    "sha384": "sha2-384",
    "sha512": "sha2-512",
}
ESP_HASHES = {word: ours for word, ours in HASHES.items() if word != "sha384"}
GROUPS = {
    "modp768": "dh1", "modp1024": "dh2", "modp1536": "dh5", "modp2048": "dh14", "modp3072": "dh15", "modp4096": "dh16",
    "modp6144": "dh17", "modp8192": "dh18", "ecp256": "dh19", "ecp384": "dh20", "ecp521": "dh21",
}  # fmt: skip
ORDER = ("profile", "proposal", "peer", "identity", "policy")
NAME = re.compile("[a-z0-9-]{1,63}", re.ASCII)
EXCHANGES = {"ike2": (2, None), "main": (1, "main"), "aggressive": (1, "aggressive")}


def read(platform_id: str, files: Mapping[str, str]) -> Understood:
    """The tunnel of the only file."""
    assert platform_id == "mikrotik-routeros"
    [(filename, text)] = files.items()
    if not filename.endswith("-routeros.rsc"):
        raise BadFileError(f"not the name of the file: {filename}")
    commands = read_script(text)
    menus = [one.path.removeprefix("/ip ipsec ") for one in _ipsec(commands)]
    if tuple(dict.fromkeys(menus)) != ORDER or [menus.count(menu) for menu in ORDER[:4]] != [1] * 4:
        raise BadFileError(f"/ip ipsec is not complete, not in order, or twice: {menus}")
    profile, proposal, peer, identity, *policies = map(Parameters, _ipsec(commands))
    name = profile.text("name", NAME)
    said = {
        **_profile(profile),
        **_proposal(proposal, name),
        **_peer(peer, name),
    }
    said |= _identity(identity, name, said)
    untouched = [one for one in policies if one.has("action", "none")]
    if policies[: len(untouched)] != untouched:
        raise BadFileError("an exemption behind what it exempts from")
    pairs = [_policy(one, name) for one in policies[len(untouched) :]]
    if len(set(pairs)) != len(pairs):
        raise BadFileError("the same pair twice")
    exempted = {_exemption(one, name) for one in untouched}
    if exempted != {local for local, remote in pairs if network(remote).prefixlen == 0}:
        raise BadFileError(f"exempted are {exempted}")
    others = [one for one in commands if one not in _ipsec(commands)]
    check_surroundings(others, name, str(said["remote_address"]), pairs)
    return Understood(**said, pairs=tuple(sorted(pairs)))  # type: ignore[arg-type]


def _ipsec(commands: Collection[Command]) -> list[Add]:
    return [one for one in commands if isinstance(one, Add) and one.path.startswith("/ip ipsec ")]


def _profile(one: Parameters) -> dict[str, object]:
    said: dict[str, object] = {
        "ike_encryption": one.word("enc-algorithm", CIPHERS),
        "ike_integrity": one.word("hash-algorithm", HASHES),
        "ike_dh": one.word("dh-group", GROUPS | {"x25519": "dh31"}),
        "ike_seconds": one.seconds("lifetime"),
        "dpd": _dpd(one),
    }
    one.expect({"prf-algorithm": "auto", "proposal-check": "obey", "nat-traversal": "yes"})
    one.done()
    return said


def _dpd(one: Parameters) -> bool:
    if one.has("dpd-interval", "disable-dpd"):
        one.expect({"dpd-interval": "disable-dpd"})
        return False
    failures = int(one.text("dpd-maximum-failures", re.compile("[1-9]|[1-9][0-9]|100")))
    if not 30 <= one.seconds("dpd-interval") * failures <= 60:
        raise BadFileError("a silent peer is given up too early or too late")
    return True


def _proposal(one: Parameters, name: str) -> dict[str, object]:
    one.expect({"name": name})
    cipher = one.word("enc-algorithms", ESP_CIPHERS)
    hashes: Mapping[str, str | None] = {"": None} if cipher in AEAD else ESP_HASHES
    said: dict[str, object] = {
        "esp_encryption": cipher,
        "esp_integrity": one.word("auth-algorithms", hashes),
        "esp_seconds": one.seconds("lifetime"),
        "pfs": one.word("pfs-group", GROUPS | {"none": ""}),
    }
    one.done()
    return said


def _peer(one: Parameters, name: str) -> dict[str, object]:
    one.expect({"name": name, "profile": name, "send-initial-contact": "yes"})
    version, mode = EXCHANGES[one.text("exchange-mode", re.compile("ike2|main|aggressive"))]
    one.text("passive", re.compile("yes|no"))
    gateway, local = network(one.text("address")), one.text("local-address")
    if gateway.prefixlen != gateway.max_prefixlen or not is_address(local, gateway.version):
        raise BadFileError(f"no two addresses of a family: {gateway}, {local}")
    one.done()
    return {
        "version": version,
        "mode": mode,
        "local_address": local,
        "remote_address": str(gateway.network_address),
    }


def _identity(one: Parameters, name: str, said: Mapping[str, object]) -> dict[str, object]:
    one.expect(
        {
            "peer": name,
            "auth-method": "pre-shared-key",
            "match-by": "remote-id",
            "generate-policy": "no",
        }
    )
    secret = one.text("secret")
    if secret[:2].lower() == "0x":
        if not re.fullmatch("0x([0-9a-f]{2})+", secret, re.ASCII):
            raise BadFileError("a secret that is not the hexadecimal that it begins as")
        secret = bytes.fromhex(secret[2:]).decode("ascii")
    own = _id(one.text("my-id"), str(said["local_address"]))
    expected = one.text("remote-id")
    if _id(expected, "") and said["version"] == 1 and expected.startswith("fqdn:"):
        raise BadFileError("remote-id cannot be a name with IKEv1")
    if said["mode"] == "main" and not is_address(own):
        raise BadFileError("in main mode the identifier comes too late")
    one.done()
    return {"psk": secret, "local_identity": own}


def _id(text: str, address: str) -> str:
    kind, _, value = text.partition(":")
    if kind == "address" and is_address(value, 4):
        return value
    if kind == "fqdn" and re.fullmatch("[A-Za-z0-9.-]{1,253}", value) and not is_address(value):
        return value
    if text == "auto":
        return address
    raise BadFileError(f"no identifier: {text!r}")


def _policy(one: Parameters, name: str) -> tuple[str, str]:
    one.expect({"peer": name, "proposal": name, "comment": name})
    one.expect(
        {
            "tunnel": "yes",
            "protocol": "all",
            "action": "encrypt",
            "level": "unique",
            "ipsec-protocols": "esp",
        }
    )
    local, remote = network(one.text("src-address")), network(one.text("dst-address"))
    if local.version != remote.version:
        raise BadFileError(f"two families: {local}, {remote}")
    one.done()
    return str(local), str(remote)


def _exemption(one: Parameters, name: str) -> str:
    one.expect({"action": "none", "comment": name})
    local = str(network(one.text("src-address")))
    one.expect({"dst-address": local})
    one.done()
    return local
