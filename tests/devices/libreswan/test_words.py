"""Each word of our tables in the hands of Libreswan's own `algparse`, and each that is missing from them."""

from __future__ import annotations

import pytest

from tests.vendors.libreswan import Libreswan
from tunnels.devices.registry import PLATFORMS
from tunnels.domain import crypto
from tunnels.domain.proposals import IkeVersion

ABILITIES = PLATFORMS["libreswan"].abilities["4.8 to 4.15"]
# What Libreswan might call what our tables do not have: strongSwan's words, the numbers, its own style.
OTHERS = {
    "des": ("des", "1des", "des_cbc"),
    "dh1": ("dh1", "modp768"),
    "dh2": ("dh2", "modp1024"),
    "dh24": ("dh24", "modp2048s256"),
    "aes-256-gcm": ("aes_gcm256",),
    "aes-128-gcm": ("aes_gcm128",),
    "chacha20-poly1305": ("chacha20_poly1305",),
    "dh19": ("dh19",),
    "dh20": ("dh20",),
    "dh21": ("dh21",),
    "dh31": ("dh31",),
}

each_version = pytest.mark.parametrize("version", IkeVersion)


@each_version
def test_it_knows_every_word_of_ike(libreswan: Libreswan, version: IkeVersion) -> None:
    words = ABILITIES.ike[version]
    proposals = [
        *(f"ike={word}-sha2_256;dh14" for word in words.encryption.values()),
        *(f"ike=aes256-{word};dh14" for word in words.integrity.values()),
        *(f"ike=aes256-sha2_256;{word}" for word in words.dh.values()),
    ]
    if version is IkeVersion.V2:
        proposals += [f"ike=aes_gcm256-{word};dh14" for word in words.prf.values()]
    assert {
        proposal: libreswan.algparse(proposal, version=version, pfs=False) for proposal in proposals
    } == {proposal: [] for proposal in proposals}


@each_version
def test_it_knows_every_word_of_esp(libreswan: Libreswan, version: IkeVersion) -> None:
    words = ABILITIES.esp[version]
    proposals = [
        *(
            f"esp={word};dh14" if crypto.is_aead(key) else f"esp={word}-sha1;dh14"
            for key, word in words.encryption.items()
        ),
        *(f"esp=aes256-{word};dh14" for word in words.integrity.values()),
        *(f"esp=aes256-sha1;{word}" for word in words.dh.values()),
    ]
    assert {
        proposal: libreswan.algparse(proposal, version=version, pfs=True) for proposal in proposals
    } == {proposal: [] for proposal in proposals}


@each_version
def test_it_refuses_what_the_tables_lack(libreswan: Libreswan, version: IkeVersion) -> None:
    ike, esp = ABILITIES.ike[version], ABILITIES.esp[version]
    proposals = [
        *(f"ike={word}-sha1;dh14" for word in _missing(crypto.ENCRYPTION.keys() - ike.encryption)),
        *(f"ike=aes256-sha1;{word}" for word in _missing(crypto.DH_GROUPS.keys() - ike.dh)),
        *(
            f"esp={word};dh14"
            for word in _missing(crypto.ESP_ENCRYPTION.keys() - esp.encryption.keys())
        ),
        *(f"esp=aes256-sha1;{word}" for word in _missing(crypto.DH_GROUPS.keys() - esp.dh)),
    ]
    assert len(proposals) >= 6
    for proposal in proposals:
        complaints = libreswan.algparse(proposal, version=version, pfs=proposal.startswith("esp="))
        assert complaints, f"{proposal} is taken: why is it not in the tables?"


def _missing(keys: frozenset[str] | set[str]) -> list[str]:
    return [word for key in sorted(keys) for word in OTHERS[key]]
