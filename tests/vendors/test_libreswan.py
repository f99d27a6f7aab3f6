"""Libreswan's checks catch what is planted: a check that cannot fail proves nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.vendors.libreswan import Libreswan
from tests.vendors.samples import LIBRESWAN, UNDERSTOOD


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A right ipsec.conf."""
    path = tmp_path / "ipsec.conf"
    path.write_text(LIBRESWAN, encoding="utf-8")
    return path


def test_it_accepts_a_right_file(libreswan: Libreswan, config: Path) -> None:
    assert libreswan.complaints(config, version=2) == []
    assert libreswan.complaints(config, version=1) == []


def test_it_understands_a_right_file(libreswan: Libreswan, config: Path) -> None:
    assert libreswan.understood(config) == replace(UNDERSTOOD, dpd=True)


def test_it_understands_another_file_differently(libreswan: Libreswan, config: Path) -> None:
    text = LIBRESWAN.replace("ikev2=insist", "ikev2=no\n    aggressive=yes")
    text = text.replace("pfs=yes", "pfs=no").replace("esp=aes256-sha2_256;dh14", "esp=aes_gcm128")
    config.write_text(text.replace("    auto=start", "    auto=add"), encoding="utf-8")
    assert libreswan.complaints(config, version=1) == []
    assert libreswan.understood(config) == replace(
        UNDERSTOOD, version=1, mode="aggressive", esp_encryption="aes-128-gcm", esp_integrity=None,
        pfs="", starts=False, dpd=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("right", "planted", "complaint"),
    [
        ("ipsec-max-bytes=", "ipsec-max-bites=", "syntax error [ipsec-max-bites]"),
        ("10.0.2.0/24", "10.0.2.999/24", "bad subnet rightsubnet=10.0.2.999/24"),
        ("10.0.2.0/24", "10.0.2.0/33", "bad subnet rightsubnet=10.0.2.0/33"),
        ("ikev2=insist", "keyexchange=ikev2", "keyword keyexchange, invalid value: ikev2"),
        ("authby=secret", "authby=sesame", "connection authby= value is unknown"),
        ("    auto=start", "    auto=start\n    auto=add", "duplicate key 'auto'"),
        ("ike=aes256-", "ike=aes999-", "key length 999 invalid"),
        ("esp=aes256-", "esp=des-", "ESP encryption algorithm 'des' is not supported"),
        ("ike=aes256-sha2_256;dh14", "ike=aes256-sha2_256;dh2", "IKE DH algorithm 'dh2'"),
        ("esp=aes256-sha2_256;dh14", "esp=aes256-sha2_256;dh2", "ESP DH algorithm 'dh2'"),
        ("conn office-2", "conn", "conn"),
    ],
)  # fmt: skip
def test_it_catches(
    libreswan: Libreswan, config: Path, right: str, planted: str, complaint: str
) -> None:
    assert right in LIBRESWAN
    config.write_text(LIBRESWAN.replace(right, planted), encoding="utf-8")
    assert complaint in "\n".join(libreswan.complaints(config, version=2))


def test_it_knows_what_each_version_of_ike_can_do(libreswan: Libreswan, config: Path) -> None:
    config.write_text(LIBRESWAN.replace("esp=aes256-sha2_256;dh14", "esp=aes256-sha2_256;dh19"))
    assert libreswan.complaints(config, version=2) == []
    [complaint] = libreswan.complaints(config, version=1)
    assert complaint == "ERROR: ESP DH algorithm 'dh19' is not supported by IKEv1"


def test_a_file_without_algorithms_is_no_file_of_ours(libreswan: Libreswan, config: Path) -> None:
    lines = [line for line in LIBRESWAN.splitlines() if "=aes" not in line]
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert libreswan.complaints(config, version=2) == ["no ike= and no esp="]
