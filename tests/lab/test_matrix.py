"""What the matrix is made of, and how it reads what charon lists."""

from __future__ import annotations

from collections import Counter

from tests.builders import a_tunnel_spec
from tunnels.domain import crypto
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings, Mode
from tunnels.lab import matrix
from tunnels.lab.combinations import everything, sample
from tunnels.lab.listing import read_list
from tunnels.lab.negotiation import customer_files, document_of, expected_esp, expected_ike

LISTING = """\
vpnx-1a2b3c4d: #7, ESTABLISHED, IKEv2, e42123415f4fc56c_i* 3b191da8da64e9c0_r
  local  '203.0.113.10' @ 203.0.113.10[4500]
  remote '203.0.113.20' @ 203.0.113.20[4500]
  AES_GCM_16-256/PRF_HMAC_SHA2_384/ECP_256
  established 0s ago, rekeying in 14057s
  vpnx-1a2b3c4d-0a1b2c3d: #12, reqid 1, INSTALLED, TUNNEL-in-UDP, ESP:AES_CBC-256/HMAC_SHA1_96/MODP_2048
    installed 0s ago, rekeying in 3397s, expires in 3960s
    in  d3caacee,      0 bytes,     0 packets
    local  10.0.0.0/24
    remote 192.168.0.0/24
other: #8, CONNECTING, IKEv1, e42123415f4fc56c_i* 0000000000000000_r
"""


def test_it_has_every_combination_of_the_reference_and_every_modern_option() -> None:
    chosen = everything()
    parts = Counter(one.part for one in chosen)
    assert (parts["IKE"], parts["ESP"], parts["aggressive"]) == (100, 96, 50)
    assert len({str(one) + one.part for one in chosen if one.part != "modern"}) == 246
    modern = [one for one in chosen if one.part == "modern"]
    used = {one.ike.encryption for one in modern} | {one.ipsec.encryption for one in modern}
    assert {key for key in crypto.ENCRYPTION if crypto.is_aead(key)} <= used
    groups = {one.ike.dh_group for one in chosen}
    assert groups == set(crypto.DH_GROUPS)
    assert {one.ipsec.pfs for one in chosen} == {"", *crypto.DH_GROUPS}
    assert {one.ike.prf for one in modern if crypto.is_aead(one.ike.encryption)} == set(crypto.PRF)


def test_its_sample_meets_all_parts_versions_and_modes() -> None:
    chosen = sample()
    assert 10 <= len(chosen) <= 20
    assert {one.part for one in chosen} == {"IKE", "ESP", "aggressive", "modern"}
    assert {(one.ike.version, one.ike.mode) for one in chosen} == {
        (IkeVersion.V1, Mode.MAIN), (IkeVersion.V1, Mode.AGGRESSIVE), (IkeVersion.V2, Mode.MAIN),
    }  # fmt: skip


def test_a_listing_is_read() -> None:
    first, second = read_list(LISTING)
    assert (first.name, first.state, first.version) == ("vpnx-1a2b3c4d", "ESTABLISHED", 2)
    assert first.chosen == "AES_GCM_16-256/PRF_HMAC_SHA2_384/ECP_256"
    (child,) = first.children
    assert (child.name, child.unique, child.state) == ("vpnx-1a2b3c4d-0a1b2c3d", 12, "INSTALLED")
    assert child.chosen == "AES_CBC-256/HMAC_SHA1_96/MODP_2048"
    assert (second.name, second.state, second.version) == ("other", "CONNECTING", 1)
    assert (second.chosen, second.children) == ("", [])


def test_it_knows_what_charon_must_list() -> None:
    assert expected_ike(IkeSettings()) == "AES_GCM_16-256/PRF_HMAC_SHA2_384/ECP_256"
    old = IkeSettings(encryption="3des", integrity="md5", dh_group="dh24")
    assert expected_ike(old) == "3DES_CBC/HMAC_MD5_96/PRF_HMAC_MD5/MODP_2048_256"
    esp = IpsecSettings(encryption="aes-192", integrity="sha1", pfs="dh5")
    assert expected_esp(esp, pfs_shows=True) == "AES_CBC-192/HMAC_SHA1_96/MODP_1536"
    assert expected_esp(esp, pfs_shows=False) == "AES_CBC-192/HMAC_SHA1_96"


def test_both_sides_are_made_from_the_same_tunnel() -> None:
    spec = a_tunnel_spec()
    document = document_of(spec)
    assert document.psk.get_secret_value() == spec.psk.reveal()
    assert [pair.mapping.local for pair in document.mappings] == [
        mapping.local for mapping in spec.mappings
    ]
    assert spec.psk.reveal() not in repr(document)
    assert f"proposals = {spec.ike.proposal}" in customer_files(spec)[0].text


def test_its_last_line_counts() -> None:
    asked = [one for one in everything() if one.part in {"IKE", "ESP"}]
    proven = Counter({"IKE": 100, "ESP": 95})
    assert matrix.summary("strongswan-swanctl", asked, proven) == (
        "lab-matrix strongswan-swanctl: IKE 100/100, ESP 95/96"
    )
