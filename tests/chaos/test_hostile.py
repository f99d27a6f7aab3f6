"""Hostile names, tags, identifiers and keys: to charon byte for byte, or refused before."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from tests.chaos import looks
from tests.chaos.campaign import Campaign
from tests.chaos.rig import Rig, until
from tests.chaos.world import Wanted

pytestmark = [pytest.mark.charon, pytest.mark.xdist_group("lab")]

LONGEST_NAME = ".".join(["x" * 63] * 3 + ["y" * 61])
HOSTILE = (
    Wanted(
        name='"} } secrets { ike-x { secret = "', address="203.0.113.20",
        # In swanctl.conf this would be base64 if it were not quoted and encoded.
        psk="0sAAAA=='\"\\{};#$(reboot)`id`%s%n<>&|@,*?~!^[]:/+-_.",
        rules=("10.0.0.0/24 192.168.0.0/24",),
        local_fqdn="GateWay.Example.COM", remote_fqdn=LONGEST_NAME,
        tags={"k><(],;": "; include /etc/passwd, [x]=@:"},
    ),
    Wanted(
        name="${HOME} # \u202fעברית 日本 <script>'", address="203.0.113.21", psk="0x4142434445464748",
        rules=("10.0.1.0/24 192.168.10.0/24",), version=1,
        tags={"../../etc": "@+=:/"},
    ),
    Wanted(
        name="\\", address="203.0.113.30", psk="".join(map(chr, range(0x21, 0x7F))),
        rules=("10.0.2.0/24 192.168.20.0/24",), remote_fqdn="xn--80ak6aa92e.com",
    ),
)  # fmt: skip
# Nothing of the hostile tunnels may stand in its way: the tests run in any order.
GOOD = Wanted(
    name="good", psk="good-enough", address="203.0.113.40", rules=("10.0.9.0/24 192.168.90.0/24",)
)
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a line in a name": ({"name": "one\ntwo"}, "name-control-character"),
    "a name that turns around": ({"name": "\u202eevil"}, "name-control-character"),
    "a line in a key": ({"psk": "12345678\nsecret=x"}, "psk-characters"),
    "a NUL in a key": ({"psk": "12345678\0"}, "psk-characters"),
    "a letter of elsewhere in a key": ({"psk": "schlüssel-lang"}, "psk-characters"),
    "a space in a key": ({"psk": "two words"}, "psk-characters"),
    "a key of one letter": ({"psk": "x"}, "psk-length"),
    "any peer": ({"remote_fqdn": "%any"}, "fqdn-malformed"),
    "all peers": ({"remote_fqdn": "*.example.com"}, "fqdn-malformed"),
    "a key id": ({"remote_fqdn": "@#0102"}, "fqdn-malformed"),
    "a distinguished name": ({"remote_fqdn": "C=DE, CN=x"}, "fqdn-malformed"),
    "a type of identity": ({"local_fqdn": "keyid:x.y"}, "fqdn-malformed"),
    "a line in an identity": ({"local_fqdn": "a.example\n"}, "fqdn-malformed"),
    "an address as a name": ({"local_fqdn": "203.0.113.99"}, "fqdn-malformed"),
    "a line in a tag": ({"tags": {"a": "b\nc"}}, "tag-invalid"),
    "a quote in a tag": ({"tags": {'a"': "b"}}, "tag-invalid"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_it_refuses_what_charon_would_misread(bare_rig: Rig, kind: str) -> None:
    change, rule = REFUSED[kind]
    answer = bare_rig.console.desk("make", **{**asdict(GOOD), **change})
    assert answer == {"refused": [rule]}


def test_it_hands_hostile_strings_over_byte_for_byte(bare_rig: Rig) -> None:
    rig = bare_rig
    for wanted in HOSTILE:
        made = rig.install(wanted, rig.console.desk("make", **asdict(wanted)))
        assert made.name == wanted.name
    rig.start_agent()
    # The customers read the key from their files, with swanctl.
    assert Campaign(rig, seed=0).rest() == []
    assert looks.pings(rig) == []
    for wanted, tunnel in zip(HOSTILE, rig.tunnels.values(), strict=True):
        said = rig.lab.gateway.swanctl("--list-sas", "--ike", tunnel.id)
        assert f"local  '{wanted.local_fqdn or '203.0.113.10'}' @" in said
        assert f"remote '{wanted.remote_fqdn or wanted.address}' @" in said
        # The same with the bare bytes, so that no mistake is made twice.
        _load_bytes(rig, wanted, tunnel.id, wanted.psk.encode())
        before = looks.generations(rig)[tunnel.id].ike
        rig.console.desk("reset", tunnel=tunnel.id)
        assert until(
            lambda: (now := looks.generations(rig).get(tunnel.id)) and now.ike != before  # noqa: B023
        )
        assert until(lambda: not looks.problems(rig, since=0))
    # One byte less is another key.
    _load_bytes(rig, HOSTILE[2], tunnel.id, HOSTILE[2].psk.encode()[:-1])
    rig.console.desk("reset", tunnel=tunnel.id)
    assert until(lambda: rig.console.desk("state")["tunnels"][tunnel.id]["word"] != "connected")
    assert tunnel.id not in looks.generations(rig)


def _load_bytes(rig: Rig, wanted: Wanted, tunnel: str, key: bytes) -> None:
    """Exchange the key at the customer for these bytes."""
    charon = rig.vici(rig.lab.sides[rig.tunnels[tunnel].side])
    (old,) = (name for name in charon.shared() if name.endswith(tunnel))
    charon.unload_shared(old)
    charon.load_shared(
        {
            "id": old,
            "type": "IKE",
            "data": key,
            "owners": [
                wanted.local_fqdn or "203.0.113.10",
                wanted.remote_fqdn or wanted.address,
            ],
        }
    )
