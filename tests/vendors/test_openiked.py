"""OpenIKED's check catches what is planted, and what it lets pass is seen in what it prints."""

from __future__ import annotations

import errno
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from tests.vendors.openiked import OpenIked
from tests.vendors.samples import OPENIKED, UNDERSTOOD

# PF_KEY version 2 (RFC 2367); Python has no names for them.
AF_KEY, PF_KEY_V2 = 15, 2


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A right iked.conf."""
    path = tmp_path / "iked.conf"
    path.touch(mode=0o600)
    path.write_text(OPENIKED, encoding="utf-8")
    return path


def test_it_accepts_a_right_file(openiked: OpenIked, config: Path) -> None:
    assert openiked.complaints(config) == []


def test_it_understands_a_right_file(openiked: OpenIked, config: Path) -> None:
    assert openiked.understood(config) == replace(UNDERSTOOD, psk="Sample-Psk_01")


@pytest.mark.parametrize(
    ("right", "planted", "complaint"),
    [
        ("srcid 198.51.100.2", "sourceid 198.51.100.2", "not a valid authentication mode"),
        ("10.0.2.0/24", "10.0.2.999/24", "could not parse host specification"),
        ("ikesa enc aes-256", "ikesa enc aes-999", "aes-999 not a valid transform"),
        ("childsa enc aes-256", "childsa enc des", "des not a valid transform"),
        ("group modp2048 noesn", "group dh14 noesn", "dh14 not a valid transform"),
        ("set dpd_check_interval 10", "set dpd_check_interval 10s", "syntax error"),
        ("active tunnel", "active # now\n tunnel", "syntax error"),
    ],
)  # fmt: skip
def test_it_catches(
    openiked: OpenIked, config: Path, right: str, planted: str, complaint: str
) -> None:
    assert right in OPENIKED
    config.write_text(OPENIKED.replace(right, planted), encoding="utf-8")
    assert complaint in "\n".join(openiked.complaints(config))


def test_it_wants_the_file_to_be_private(openiked: OpenIked, config: Path) -> None:
    config.chmod(0o644)
    assert "group writable or world read/writable" in "\n".join(openiked.complaints(config))


@pytest.mark.parametrize(
    ("right", "planted"),
    [
        ("10.0.2.0/24", "10.0.2.0/33"),
        ("10.0.2.0/24", "10.0.2.7/24"),
        ("ikelifetime 86400", "ikelifetime 999999999999"),
        ("group modp2048 noesn", "noesn"),
        ("bytes 4608000K", "bytes 4718592001"),
        ("psk 0x53616d706c652d50736b5f3031", 'psk "0x53616d"'),
        ("active tunnel", "passive tunnel"),
        ("dstid vpn-gw.example.net", "dstid vpn.example.net"),
    ],
)
def test_what_it_lets_pass_is_seen_in_what_it_understands(
    openiked: OpenIked, config: Path, right: str, planted: str
) -> None:
    assert right in OPENIKED
    config.write_text(OPENIKED.replace(right, planted), encoding="utf-8")
    assert openiked.complaints(config) == []
    with pytest.raises(AssertionError):
        assert openiked.understood(config) == replace(UNDERSTOOD, psk="Sample-Psk_01")


def test_the_daemon_needs_a_kernel_with_pf_key(openiked: OpenIked, config: Path) -> None:
    """How far it comes where there is none: docs/lab.md says so."""
    try:
        socket.socket(AF_KEY, socket.SOCK_RAW, PF_KEY_V2).close()
    except OSError as error:
        if error.errno != errno.EAFNOSUPPORT:
            pytest.skip("this kernel has PF_KEY")
    else:
        pytest.skip("this kernel has PF_KEY")
    code, said = openiked.start("-d", config)
    assert code == 1
    assert (
        "parent: pfkey_socket: failed to open PF_KEY socket: Address family not supported by protocol"
        in said
    )
