from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tunnels.domain import crypto
from tunnels.domain.proposals import (
    AGGRESSIVE_CAUTION,
    PRESETS,
    IkeSettings,
    IkeVersion,
    IpsecSettings,
    Mode,
    check_ike,
    check_ipsec,
    weaknesses,
)

CBC = IkeSettings(encryption="aes-256")


@pytest.mark.parametrize(
    ("over", "rule", "field"),
    [
        ({"encryption": "rot13"}, "unknown-algorithm", "encryption"),
        ({"encryption": "aes-256", "integrity": "crc32"}, "unknown-algorithm", "integrity"),
        ({"prf": "md5"}, "unknown-algorithm", "prf"),
        ({"dh_group": "dh3"}, "unknown-algorithm", "dh_group"),
        ({"lifetime_seconds": 59}, "out-of-range", "lifetime_seconds"),
        ({"lifetime_seconds": 604_801}, "out-of-range", "lifetime_seconds"),
        ({"dpd_timeout": 29}, "out-of-range", "dpd_timeout"),
        ({"dpd_timeout": 61}, "out-of-range", "dpd_timeout"),
        ({"version": IkeVersion.V1}, "ikev1-aead", "encryption"),
        (
            {"version": IkeVersion.V1, "encryption": "chacha20-poly1305"},
            "ikev1-aead",
            "encryption",
        ),
        (
            {"local_fqdn": "a.example", "remote_fqdn": "A.Example"},
            "identity-equal",
            "remote_fqdn",
        ),
    ],
)
def test_it_refuses_ike_settings(over: dict[str, Any], rule: str, field: str) -> None:
    [finding] = check_ike(replace(IkeSettings(), **over))
    assert (finding.rule, finding.field) == (rule, field)


@pytest.mark.parametrize(
    "over",
    [
        {"lifetime_seconds": 60},
        {"lifetime_seconds": 604_800},
        {"dpd_timeout": 60},
        {"dpd_timeout": 5, "dpd_enabled": False},
        {"integrity": "unused beside an AEAD"},
        {"encryption": "aes-256", "prf": "unused without one"},
        {"local_fqdn": "vpn.example.com", "remote_fqdn": "idc.example.com"},
    ],
)
def test_it_accepts_ike_settings(over: dict[str, Any]) -> None:
    assert check_ike(replace(IkeSettings(), **over)) == []


@pytest.mark.parametrize(
    ("over", "rule", "field"),
    [
        ({"encryption": "des"}, "unknown-algorithm", "encryption"),
        ({"encryption": "aes-128", "integrity": "crc32"}, "unknown-algorithm", "integrity"),
        ({"pfs": "dh3"}, "unknown-algorithm", "pfs"),
        ({"lifetime_seconds": 179}, "out-of-range", "lifetime_seconds"),
        ({"lifetime_seconds": 604_801}, "out-of-range", "lifetime_seconds"),
        ({"lifetime_kb": 2_559}, "out-of-range", "lifetime_kb"),
        ({"lifetime_kb": 4_294_967_296}, "out-of-range", "lifetime_kb"),
    ],
)
def test_it_refuses_ipsec_settings(over: dict[str, Any], rule: str, field: str) -> None:
    [finding] = check_ipsec(replace(IpsecSettings(), **over), version=IkeVersion.V2)
    assert (finding.rule, finding.field) == (rule, field)


def test_it_refuses_chacha_and_keeps_gcm_with_ikev1() -> None:
    chacha = IpsecSettings(encryption="chacha20-poly1305")
    [finding] = check_ipsec(chacha, version=IkeVersion.V1)
    assert finding.message == (
        "ChaCha20-Poly1305 cannot be negotiated with IKEv1; choose AES-GCM or AES, or IKEv2."
    )
    assert check_ipsec(chacha, version=IkeVersion.V2) == []
    assert check_ipsec(IpsecSettings(encryption="aes-128-gcm"), version=IkeVersion.V1) == []


def test_it_names_the_limits_and_the_choices() -> None:
    [finding] = check_ike(replace(IkeSettings(), lifetime_seconds=10))
    assert finding.message == "Enter 60 to 604800 seconds; 10 is outside."
    [finding] = check_ipsec(replace(IpsecSettings(), lifetime_kb=1), version=IkeVersion.V2)
    assert finding.message == "Enter 2560 to 4294967295 KB; 1 is outside."
    [finding] = check_ike(replace(CBC, integrity="x"))
    assert finding.message == "Choose one of: SHA2-256, SHA2-384, SHA2-512, SHA1, MD5."


@pytest.mark.parametrize(
    "fqdn", ["vpn.example.com", "a.b", "x-1.example", "1.2.3.example", f"{'a' * 63}.b"]
)
def test_it_accepts_a_domain_name(fqdn: str) -> None:
    assert check_ike(replace(IkeSettings(), local_fqdn=fqdn)) == []


@pytest.mark.parametrize(
    "fqdn",
    [
        "host", "10.0.0.1", "-a.example", "a-.example", "a..example", ".example", "a.example.", "*.example",
        "a b.example", "a_b.example", "ä.example", f"{'a' * 64}.b", "a.example\n", '"', "a.b" * 100, "%any", "@a.b",
    ],
)  # fmt: skip
@pytest.mark.parametrize("field", ["local_fqdn", "remote_fqdn"])
def test_it_refuses_what_is_no_domain_name(fqdn: str, field: str) -> None:
    over: dict[str, Any] = {field: fqdn}
    [finding] = check_ike(replace(IkeSettings(), **over))
    assert (finding.rule, finding.field) == ("fqdn-malformed", field)


def test_it_warns_of_each_insecure_choice_in_the_order_of_the_forms() -> None:
    ike = IkeSettings(
        version=IkeVersion.V1,
        mode=Mode.AGGRESSIVE,
        encryption="des",
        integrity="md5",
        dh_group="dh1",
    )
    ipsec = IpsecSettings(encryption="3des", integrity="md5", pfs="dh24")
    sentences = weaknesses(ike, ipsec)
    assert (
        sentences[0] == "IKEv1 is deprecated (RFC 9395); choose IKEv2 when the other device has it."
    )
    assert sentences[1] == AGGRESSIVE_CAUTION
    assert [sentence.split(":")[0] for sentence in sentences[2:]] == [
        "IKE uses DES",
        "IKE uses MD5",
        "IKE uses DH1 (768-bit MODP)",
        "IPsec uses 3DES",
        "IPsec uses MD5",
        "IPsec uses DH24 (2048-bit MODP, 256-bit subgroup)",
    ]
    assert weaknesses(ike) == sentences[:5]


def test_it_does_not_warn_of_what_is_unused() -> None:
    ike = IkeSettings(integrity="md5", mode=Mode.AGGRESSIVE)
    assert weaknesses(ike, IpsecSettings(integrity="md5", pfs="")) == []


def test_it_does_not_warn_of_what_is_only_compatible() -> None:
    preset = PRESETS["compatible"]
    assert crypto.DH_GROUPS[preset.ike.dh_group].strength is crypto.Strength.COMPATIBLE
    assert weaknesses(preset.ike, preset.ipsec) == []
