"""Each word of our tables, and keys of every kind, in the hands of iked's own parser.

Debian's iked is the portable version on Linux: it drops proposals with an AEAD for ESP, so these are seen for IKE only.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.devices.cases import HOSTILE_PSK
from tests.devices.openiked.test_openiked import BSD, LINUX, ONE_PAIR, text_of
from tests.devices.understood import Understood, expected
from tests.vendors.openiked import OpenIked
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

ABILITIES = PLATFORMS["openiked"].abilities
IKE, ESP = ABILITIES[BSD].ike[IkeVersion.V2], ABILITIES[LINUX].esp[IkeVersion.V2]
PLAIN = IpsecSettings(encryption="aes-128", integrity="sha1", pfs="")
# iked prints nothing about DPD.
SILENT = frozenset({"dpd"})


def judged(openiked: OpenIked, folder: Path, spec: TunnelSpec) -> Understood:
    """What iked understands of the file for this tunnel; it has nothing against it."""
    path = folder / "iked.conf"
    path.touch(mode=0o600)
    path.write_text(text_of(spec), encoding="utf-8")
    assert openiked.complaints(path) == []
    return openiked.understood(path)


@pytest.mark.parametrize(
    "ike",
    [
        *(IkeSettings(encryption=key) for key in IKE.encryption),
        *(IkeSettings(encryption="aes-256", integrity=key) for key in IKE.integrity),
        *(IkeSettings(prf=key) for key in IKE.prf),
        *(IkeSettings(dh_group=key) for key in IKE.dh),
    ],
    ids=lambda ike: ike.proposal,
)
def test_it_knows_every_word_of_ike(openiked: OpenIked, tmp_path: Path, ike: IkeSettings) -> None:
    spec = replace(ONE_PAIR, ike=ike, ipsec=PLAIN)
    assert judged(openiked, tmp_path, spec) == expected(spec, silent=SILENT)


@pytest.mark.parametrize(
    "ipsec",
    [
        *(replace(PLAIN, encryption=key) for key in ESP.encryption),
        *(replace(PLAIN, integrity=key) for key in ESP.integrity),
        *(replace(PLAIN, pfs=key) for key in ESP.dh),
    ],
    ids=lambda ipsec: ipsec.proposal,
)
def test_it_knows_every_word_of_esp(
    openiked: OpenIked, tmp_path: Path, ipsec: IpsecSettings
) -> None:
    spec = replace(ONE_PAIR, ipsec=ipsec)
    assert judged(openiked, tmp_path, spec) == expected(spec, silent=SILENT)


@pytest.mark.parametrize("encryption", ["aes-256-gcm", "aes-128-gcm", "chacha20-poly1305"])
def test_it_takes_the_words_of_an_aead_and_drops_the_proposal(
    openiked: OpenIked, tmp_path: Path, encryption: str
) -> None:
    """Why the version for Linux has none."""
    path = tmp_path / "iked.conf"
    path.touch(mode=0o600)
    ipsec = IpsecSettings(encryption=encryption, pfs="dh19")
    path.write_text(text_of(replace(ONE_PAIR, ipsec=ipsec)), encoding="utf-8")
    assert openiked.complaints(path) == []
    [policy] = openiked.policies(path)
    assert "childsa" not in policy


@pytest.mark.parametrize(
    "key",
    [
        "Golden-Key_73519", "0xdeadbeef", "0XDEADBEEF", "a'b#c$d{e}", 'quote"inside', "back\\slash", "trailing\\",
        HOSTILE_PSK,
    ],
)  # fmt: skip
def test_it_reads_the_key(openiked: OpenIked, tmp_path: Path, key: str) -> None:
    spec = replace(ONE_PAIR, ipsec=PLAIN, psk=Secret(key))
    assert judged(openiked, tmp_path, spec).psk == key
