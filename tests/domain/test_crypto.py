from __future__ import annotations

import itertools

import pytest

from tunnels.domain import crypto
from tunnels.domain.crypto import Strength
from tunnels.domain.proposals import (
    DEFAULT_PRESET,
    PRESETS,
    IkeSettings,
    IkeVersion,
    IpsecSettings,
    Preset,
    check_ike,
    check_ipsec,
    weaknesses,
)

# The reference wizard's two tables.
REFERENCE_IKE = ("aes-128", "aes-192", "aes-256", "3des", "des")
REFERENCE_ESP = ("aes-128", "aes-192", "aes-256", "3des")
REFERENCE_INTEGRITY = ("md5", "sha1")
REFERENCE_DH = ("dh1", "dh2", "dh5", "dh14", "dh24")

KEYWORDS = {
    "aes-128": "aes128", "aes-192": "aes192", "aes-256": "aes256", "3des": "3des", "des": "des",
    "md5": "md5", "sha1": "sha1",
    "dh1": "modp768", "dh2": "modp1024", "dh5": "modp1536", "dh14": "modp2048", "dh24": "modp2048s256",
}  # fmt: skip

IKE_COMBINATIONS = list(
    itertools.product(IkeVersion, REFERENCE_IKE, REFERENCE_INTEGRITY, REFERENCE_DH)
)
ESP_COMBINATIONS = list(
    itertools.product(IkeVersion, REFERENCE_ESP, REFERENCE_INTEGRITY, ("", *REFERENCE_DH))
)


def test_it_proposes_every_ike_combination_of_the_reference() -> None:
    assert len(IKE_COMBINATIONS) == 100
    for version, encryption, integrity, group in IKE_COMBINATIONS:
        ike = IkeSettings(
            version=version, encryption=encryption, integrity=integrity, dh_group=group
        )
        assert check_ike(ike) == []
        assert ike.proposal == "-".join(KEYWORDS[part] for part in (encryption, integrity, group))


def test_it_proposes_every_esp_combination_of_the_reference() -> None:
    assert len(ESP_COMBINATIONS) == 96
    for version, encryption, integrity, pfs in ESP_COMBINATIONS:
        ipsec = IpsecSettings(encryption=encryption, integrity=integrity, pfs=pfs)
        assert check_ipsec(ipsec, version=version) == []
        parts = (encryption, integrity, pfs) if pfs else (encryption, integrity)
        assert ipsec.proposal == "-".join(KEYWORDS[part] for part in parts)


def test_it_proposes_a_prf_beside_an_aead() -> None:
    ike = IkeSettings(encryption="aes-128-gcm", integrity="md5", prf="sha2-512", dh_group="dh31")
    assert ike.proposal == "aes128gcm16-prfsha512-curve25519"
    ipsec = IpsecSettings(encryption="chacha20-poly1305", integrity="md5", pfs="dh21")
    assert ipsec.proposal == "chacha20poly1305-ecp521"
    assert IpsecSettings(encryption="aes-256-gcm", pfs="").proposal == "aes256gcm16"


def test_it_names_every_algorithm_once() -> None:
    for table in (crypto.ENCRYPTION, crypto.INTEGRITY, crypto.PRF, crypto.DH_GROUPS):
        rows = list(table.values())
        assert [row.id for row in rows] == list(table)
        for attribute in ("id", "label", "keyword"):
            values = [getattr(row, attribute) for row in rows]
            assert len(set(values)) == len(values)
    numbers = [group.number for group in crypto.DH_GROUPS.values()]
    assert sorted(numbers) == [1, 2, 5, 14, 15, 16, 17, 18, 19, 20, 21, 24, 31]
    assert [f"dh{number}" for number in numbers] == list(crypto.DH_GROUPS)


def test_it_gives_a_reason_exactly_for_what_is_not_modern() -> None:
    tables = (crypto.ENCRYPTION, crypto.INTEGRITY, crypto.PRF, crypto.DH_GROUPS)
    for row in itertools.chain.from_iterable(table.values() for table in tables):
        assert bool(row.reason) == (row.strength is not Strength.MODERN), row.id


def test_it_offers_des_for_ike_only() -> None:
    assert set(crypto.ENCRYPTION) - set(crypto.ESP_ENCRYPTION) == {"des"}


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.id)
def test_it_has_valid_presets(preset: Preset) -> None:
    assert check_ike(preset.ike) == []
    assert check_ipsec(preset.ipsec, version=preset.ike.version) == []
    assert bool(preset.warning) == bool(weaknesses(preset.ike, preset.ipsec))


def test_it_defaults_to_modern_and_nothing_else() -> None:
    modern = PRESETS[DEFAULT_PRESET]
    assert (modern.ike, modern.ipsec) == (IkeSettings(), IpsecSettings())
    assert modern.ike.version is IkeVersion.V2
    used = [
        crypto.ENCRYPTION[modern.ike.encryption],
        crypto.PRF[modern.ike.prf],
        crypto.DH_GROUPS[modern.ike.dh_group],
        crypto.ENCRYPTION[modern.ipsec.encryption],
        crypto.DH_GROUPS[modern.ipsec.pfs],
    ]
    assert {transform.strength for transform in used} == {Strength.MODERN}
    assert weaknesses(modern.ike, modern.ipsec) == []
