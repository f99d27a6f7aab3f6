"""Whole files of customers, with all that stands around a tunnel in them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.compare.texts import IKEV1, KEY, SAMPLES, answer, found, planted
from tunnels.compare.reading import Severity
from tunnels.compare.verdict import Difference
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

every_sample = pytest.mark.parametrize("name", SAMPLES)

# name of the difference, line that is changed, what it becomes; the first is found in the file just once.
PLANTED = {
    "swanctl.conf": [
        ("IKE encryption", "    proposals = aes256-sha256-modp2048", "    proposals = aes128-sha256-modp2048"),
        ("IKE integrity", "    proposals = aes256-sha256-modp2048", "    proposals = aes256-sha1-prfsha256-modp2048"),
        ("IKE PRF", "    proposals = aes256-sha256-modp2048", "    proposals = aes256-sha256-prfsha512-modp2048"),
        ("IKE DH group", "    proposals = aes256-sha256-modp2048", "    proposals = aes256-sha256-ecp256"),
        ("IPsec encryption", "esp_proposals = aes256-sha256", "esp_proposals = 3des-sha256"),
        ("IPsec integrity", "esp_proposals = aes256-sha256", "esp_proposals = aes256-sha384"),
        ("PFS", "esp_proposals = aes256-sha256-modp2048", "esp_proposals = aes256-sha256"),
        ("IKE version", "    version = 2\n    dpd", "    version = 1\n    dpd"),
        ("Mapping", "local_ts = 192.168.1.0/25", "local_ts = 192.168.1.0/24"),
        ("Mapping", "remote_ts = 10.0.1.0/26", "remote_ts = 10.0.2.0/26"),
        ("VPN gateway identifier", "id = 203.0.113.10     #", "id = gateway.example.net #"),
        ("IKE SA lifetime", "rekey_time = 77760s", "rekey_time = 20h"),
        ("IPsec SA lifetime", "life_time = 1h", "life_time = 70m"),
        ("Lifetime by volume", "life_bytes = 1887436800", "life_bytes = 2G"),
        ("Dead peer detection", "dpd_delay = 10s", "dpd_delay = 0s"),
        ("Pre-shared key", f'secret = "{KEY}"', 'secret = "Golden-Key_73518"'),
    ],
    "ipsec.conf": [
        ("IKE encryption", "ike=aes256-sha256-modp2048!", "ike=3des-sha256-modp2048!"),
        ("IKE DH group", "ike=aes256-sha256-modp2048!", "ike=aes256-sha256-modp1536!"),
        ("IPsec integrity", "esp=aes256-sha256-modp2048!", "esp=aes256-sha1-modp2048!"),
        ("PFS", "esp=aes256-sha256-modp2048!", "esp=aes256-sha256!"),
        ("IKE version", "keyexchange=ikev1", "keyexchange=ikev2"),
        ("Mapping", "leftsubnet=192.168.1.0/25", "leftsubnet=192.168.1.0/26"),
        ("Customer gateway identifier", "leftid=198.51.100.2", "leftid=@edge01.example.com"),
        ("VPN gateway identifier", 'rightid="203.0.113.10"', "rightid=gateway.example.net"),
        ("IKE SA lifetime", "ikelifetime=24h", "ikelifetime=8h"),
        ("IPsec SA lifetime", "keylife=60m", "keylife=30m"),
        ("Lifetime by volume", "lifebytes=1887436800", "lifebytes=1000"),
        ("Dead peer detection", "dpdtimeout=30s", "dpdtimeout=2m"),
        ("Pre-shared key", "0sR29sZGVuLUtleV83MzUxOQ==", "0sR29sZGVuLUtleV83MzUxOA=="),
    ],
    "ios-ikev1.txt": [
        ("IKE encryption", " encr aes 256", " encr aes 192"),
        ("IKE integrity", " hash sha256", " hash sha512"),
        ("IKE DH group", " group 14\n", " group 15\n"),
        ("IPsec encryption", "STRONG esp-aes 256 esp-sha256-hmac", "STRONG esp-aes esp-sha256-hmac"),
        ("IPsec integrity", "STRONG esp-aes 256 esp-sha256-hmac", "STRONG esp-aes 256 esp-sha-hmac"),
        ("PFS", "set pfs group14", "set pfs group2"),
        ("Mapping", "0.0.0.127 10.0.0.0", "0.0.0.255 10.0.0.0"),
        ("Lifetime by volume", "lifetime kilobytes 1843200", "lifetime kilobytes disable"),
        ("Customer gateway identifier", "   self-identity address", "   self-identity fqdn"),
        ("VPN gateway identifier", "address 203.0.113.10 255.255.255.255", "host gateway.example.net"),
        ("Pre-shared key", "203.0.113.10 key Golden-Key_73519", "203.0.113.10 key Golden-Key_73510"),
    ],
    "ios-ikev2.txt": [
        ("IKE encryption", " encryption aes-gcm-256", " encryption aes-gcm-128"),
        ("IKE PRF", " prf sha384", " prf sha256"),
        ("IKE DH group", " group 19\n", " group 20\n"),
        ("IPsec encryption", "GCM esp-gcm 256", "GCM esp-gcm 192"),
        ("PFS", "set pfs group19", "set pfs group14"),
        ("Mapping", "10.0.1.0 0.0.0.63", "10.0.1.0 0.0.0.31"),
        ("Customer gateway identifier", "local fqdn router.example.com", "local fqdn router.example.org"),
        ("VPN gateway identifier", "match identity remote fqdn gateway", "match identity remote fqdn gate"),
        ("Lifetime by volume", "lifetime kilobytes 1843200", "lifetime kilobytes 1843201"),
        ("Dead peer detection", " dpd 10 3 periodic", " description dpd 10 3 periodic"),
        ("Pre-shared key", "pre-shared-key remote Golden", "pre-shared-key remote Silver"),
    ],
    "fortios.txt": [
        ("IKE encryption", "aes256gcm-prfsha384", "aes128gcm-prfsha384"),
        ("IKE PRF", "aes256gcm-prfsha384", "aes256gcm-prfsha512"),
        ("IKE version", "set ike-version 2", "set ike-version 1"),
        ("Mapping", "set start-ip 192.168.1.0", "set start-ip 192.168.1.1"),
        ("Mapping", "set src-start-ip 192.168.2.0", "set src-start-ip 192.168.2.128"),
        ("VPN gateway identifier", 'set peerid "203.0.113.10"', 'set peerid "203.0.113.11"'),
        ("Dead peer detection", "set dpd-retryinterval 10", "set dpd disable"),
        ("Pre-shared key", "set psksecret Golden-Key_73519", "set psksecret Golden-Key_7351"),
    ],
}  # fmt: skip


def known(name: str, text: str, spec: TunnelSpec) -> list[Difference]:
    """The differences but for those that the sample has anyway."""
    return [one for one in found(text, spec) if one.name not in SAMPLES[name].harmless]


@every_sample
def test_it_finds_nothing_in_the_way(name: str) -> None:
    sample = SAMPLES[name]
    said = answer(sample.text, sample.spec)
    assert said.grammar.id == sample.grammar
    assert tuple(one.name for one in said.differences) == sample.harmless
    assert said.headline == "These two will negotiate."
    assert said.key_compared


@pytest.mark.parametrize(
    ("name", "what", "old", "new"),
    [(name, *change) for name, changes in PLANTED.items() for change in changes],
)
def test_it_names_what_was_changed_and_where(name: str, what: str, old: str, new: str) -> None:
    sample = SAMPLES[name]
    begin = sample.text.index(old)
    assert sample.text.count(old) == 1
    line = sample.text.count("\n", 0, begin) + 1
    [difference] = known(name, sample.text.replace(old, new), sample.spec)
    assert difference.name == what
    assert difference.ours != difference.theirs
    # A line that says nothing any more is none to name.
    assert line in difference.lines or "description" in new


@every_sample
def test_it_wants_the_same_of_the_tunnel(name: str) -> None:
    """The same difference, made on our side."""
    sample = SAMPLES[name]
    ipsec = replace(sample.spec.ipsec, pfs="dh21")
    [difference] = known(name, sample.text, replace(sample.spec, ipsec=ipsec))
    assert (difference.name, difference.ours) == ("PFS", "DH21 (521-bit elliptic curve)")
    assert difference.severity is Severity.BREAKS
    assert difference.line


@every_sample
def test_it_reads_what_windows_and_terminals_make_of_it(name: str) -> None:
    sample = SAMPLES[name]
    assert found(sample.text.replace("\n", "\r\n"), sample.spec) == found(sample.text, sample.spec)
    lines = sample.text.split("\n")
    lines[7] = f" --More-- \b\b\b\b\b\b\b\b\b\b          \b\b\b\b\b\b\b\b\b\b{lines[7]}"
    assert found("\n".join(lines), sample.spec) == found(sample.text, sample.spec)


def test_it_reads_typed_commands_without_indentation() -> None:
    sample = SAMPLES["ios-ikev1.txt"]
    flat = "\n".join(line.strip() for line in sample.text.split("\n"))
    assert found(flat, sample.spec) == found(sample.text, sample.spec)


def test_it_reads_commands_behind_a_prompt() -> None:
    sample = SAMPLES["ios-ikev1.txt"]
    lines = [line.strip() for line in sample.text.split("\n")[3:]]
    typed = "\n" * 3 + "\n".join(f"edge01(config)# {line}" for line in lines)
    assert found(typed, sample.spec) == found(sample.text, sample.spec)


@every_sample
def test_it_compares_no_key_for_those_who_may_not_see_it(name: str) -> None:
    sample = SAMPLES[name]
    wrong = replace(sample.spec, psk=Secret("Quite-Another_42"))
    said = answer(sample.text, wrong, with_key=False)
    assert said == answer(sample.text, sample.spec, with_key=False)
    assert said.headline == "These two will negotiate, provided that their keys are equal."
    assert any("needs the permission" in note for note in said.notes)
    assert answer(sample.text, wrong).headline.startswith("One difference must be resolved")


def test_it_sees_each_difference_of_a_wholly_other_tunnel() -> None:
    sample = SAMPLES["swanctl.conf"]
    names = {one.name for one in found(sample.text, IKEV1)}
    assert names == {"IKE version"}


def test_it_does_not_take_a_pasted_part_for_agreement() -> None:
    text, _ = planted(SAMPLES["ios-ikev2.txt"].text, "crypto ikev2 policy CLOUD", "!")
    said = answer(text, SAMPLES["ios-ikev2.txt"].spec)
    assert said.unknown == 1
    assert said.headline.startswith("Nothing was found that stops the negotiation, but one thing")
