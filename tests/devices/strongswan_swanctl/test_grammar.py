from __future__ import annotations

import pytest

from tests.devices.cases import CASES, render_case
from tests.devices.strongswan_swanctl.grammar import read
from tests.devices.understood import BadFileError
from tunnels.devices.registry import PLATFORMS

PLATFORM = PLATFORMS["strongswan-swanctl"]
ID = "vpnx-7k2m9q4z"
PLANTED = {
    "an unknown setting": ("mobike = no", "moblike = no"),
    "a missing setting": ("        remote_addrs = 203.0.113.10\n", ""),
    "an unknown section": ("children {", "childs {"),
    "a secret of no IKE": (f"ike-{ID} {{", f"eap-{ID} {{"),
    "a secret of another": (f"ike-{ID} {{", "ike-vpnx-00000000 {"),
    "a key of other identities": ("id-remote = 203", "id-remote = 204"),
    "another kind of authentication": ("auth = psk", "auth = pubkey"),
    "an IKE AEAD without a PRF": ("aes256-sha256-modp2048\n        rek", "aes256gcm16-modp2048\n        rek"),
    "an ESP cipher without integrity": ("esp_proposals = aes256-sha256-", "esp_proposals = aes256-"),
    "an unknown group": ("modp2048", "dh14"),
    "a range with host bits": ("local_ts = 192.168.0.0/24", "local_ts = 192.168.0.1/24"),
    "a list of ranges": ("remote_ts = 10.0.0.0/24", "remote_ts = 10.0.0.0/24,10.0.1.0/24"),
    "a pair twice": ("192.168.1.0/25", "192.168.0.0/24"),
    "pairs that differ": (f"{ID}-2 {{", f"{ID}-2 {{\n                hw_offload = no"),
    "a CHILD_SA that is renewed too late": ("rekey_time = 3240s", "rekey_time = 3600s"),
    "bytes that are renewed too late": ("rekey_bytes = 1698693120", "rekey_bytes = 1887436801"),
    "bytes that are no KB": ("life_bytes = 1887436800", "life_bytes = 1887436801"),
    "a lifetime without a unit": ("life_time = 3600s", "life_time = 3600"),
    "DPD without an action": ("                dpd_action = clear\n", ""),
    "a version that is none": ("version = 2", "version = 3"),
    "a setting of IKEv1": ("mobike = no", "aggressive = no"),
    "a key that swanctl decodes": ('"Golden-Key_73519"', '"0sR29sZGVu"'),
    "a key that is no hex": ('"Golden-Key_73519"', '"0xGolden"'),
    "a string without an end": ('"Golden-Key_73519"', '"Golden-Key_73519'),
}  # fmt: skip


@pytest.mark.parametrize("planted", PLANTED)
def test_it_catches_a_planted_mistake(planted: str) -> None:
    [file] = render_case(PLATFORM, CASES["common-ikev2"]).files
    assert read(PLATFORM.id, {file.filename: file.text}).version == 2
    broken = file.text.replace(*PLANTED[planted])
    assert broken != file.text
    with pytest.raises(BadFileError):
        read(PLATFORM.id, {file.filename: broken})
