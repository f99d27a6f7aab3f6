"""A customer with starter and ipsec.conf, on files written by hand; the other kind is in test_lab.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.configs import KEY
from tests.lab.waiting import wait_for
from tests.vendors.needed import missing
from tunnels.devices.base import File
from tunnels.lab import BRANCH, Lab, LabError, LabUnavailable, customers
from tunnels.lab.customers import StarterCustomer

pytestmark = [
    pytest.mark.charon,
    pytest.mark.xdist_group("lab"),
    pytest.mark.usefixtures("needs_lab"),
]

GATEWAY_FILE = f"""
connections {{
    hand {{
        version = VERSION
        aggressive = AGGRESSIVE
        local_addrs = 203.0.113.10
        remote_addrs = 203.0.113.20
        proposals = aes256-sha256-ecp256
        local {{
            auth = psk
        }}
        remote {{
            auth = psk
        }}
        children {{
            hand {{
                local_ts = 10.0.0.0/24
                remote_ts = 192.168.0.0/24
                esp_proposals = aes256-sha256
            }}
        }}
    }}
}}
secrets {{
    ike-hand {{
        secret = {KEY}
    }}
}}
"""
CONNECTION = """
conn hand
    keyexchange=ikevVERSION
    aggressive=AGGRESSIVE
    authby=secret
    left=203.0.113.20
    leftsubnet=192.168.0.0/24
    right=203.0.113.10
    rightsubnet=10.0.0.0/24
    ike=aes256-sha256-ecp256!
    esp=aes256-sha256!
    auto=start
"""
KINDS = {"IKEv2": ("2", "no"), "IKEv1 main": ("1", "no"), "IKEv1 aggressive": ("1", "yes")}


def _filled(text: str, kind: str) -> str:
    version, aggressive = KINDS[kind]
    return text.replace("VERSION", version).replace("AGGRESSIVE", aggressive)


def _files(connection: str) -> tuple[File, ...]:
    texts = {"hand.conf": connection, "hand.secrets": f'203.0.113.20 203.0.113.10 : PSK "{KEY}"\n'}
    return tuple(
        File(filename=name, text=text, media_type="text/plain") for name, text in texts.items()
    )


def _outside() -> list[object]:
    """What the machine's own strongSwan would have, and must not get."""
    paths = [Path("/etc/ipsec.conf"), Path("/etc/ipsec.secrets"), Path("/usr/lib/ipsec")]
    seen: list[object] = [(path, path.stat().st_ino, path.stat().st_mtime_ns) for path in paths]
    return seen + [
        sorted(Path(path).iterdir()) for path in ("/etc/ipsec.d", "/usr/lib/ipsec", "/run")
    ]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab whose gateway runs, and whose branch has starter's settings."""
    with Lab(customers=(replace(BRANCH, settings=StarterCustomer.settings),), start=False) as lab:
        lab.gateway.start_charon()
        yield lab


@pytest.fixture(scope="module")
def customer(lab: Lab) -> StarterCustomer:
    """starter and its charon, running in the branch."""
    customer = StarterCustomer(lab.branch)
    try:
        customer.start()
    except LabUnavailable as reason:
        missing(str(reason))
    return customer


@pytest.mark.parametrize("kind", KINDS)
def test_its_files_bring_a_tunnel_up(lab: Lab, customer: StarterCustomer, kind: str) -> None:
    before = _outside()
    lab.gateway.install(_filled(GATEWAY_FILE, kind))
    files = _files(_filled(CONNECTION, kind))
    customer.install(files)
    try:
        assert wait_for(lambda: "INSTALLED" in lab.branch.swanctl("--list-sas"))
        listing = lab.branch.swanctl("--list-sas")
        assert re.search(rf"^hand: #\d+, ESTABLISHED, {kind.split()[0]},", listing, re.MULTILINE)
        assert lab.gateway.ping("10.0.0.1", "192.168.0.1").passes
    finally:
        customer.uninstall(files)
        lab.branch.swanctl("--terminate", "--ike", "hand", "--timeout", "5", check=False)
        lab.gateway.uninstall()
    assert lab.branch.swanctl("--list-conns").strip() == ""
    assert _outside() == before


@pytest.mark.parametrize(
    ("right", "planted", "complaint"),
    [
        ("auto=start", "auto=add\n    keyingtrys=1", "# unknown keyword 'keyingtrys'"),
        ("aggressive=AGGRESSIVE", "aggressive=perhaps", "# bad value: aggressive=perhaps"),
    ],
)
def test_what_it_does_not_understand_is_noticed(
    customer: StarterCustomer, right: str, planted: str, complaint: str
) -> None:
    files = _files(_filled(CONNECTION.replace(right, planted), "IKEv2"))
    try:
        with pytest.raises(LabError, match=complaint):
            customer.install(files)
    finally:
        customer.uninstall(files)


def test_a_connection_that_is_not_loaded_is_noticed(
    customer: StarterCustomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(customers, "LOAD_SECONDS", 0.5)
    files = _files(_filled(CONNECTION.replace("auto=start", "auto=ignore"), "IKEv2"))
    with pytest.raises(LabError, match="its connections did not come"):
        customer.install(files)
    customer.uninstall(files)


def test_it_ends_with_its_charon(lab: Lab, customer: StarterCustomer) -> None:
    lab.branch.kill_charon(15)
    assert not lab.branch.charon_runs()
    customer.start()
    assert lab.branch.charon_runs()
