"""The readers of the sheet, the page and the JSON notice what is wrong, so that reading back proves something."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.devices.cases import CASES, HOSTILE_PSK, render_case
from tests.devices.understood import BadFileError, Understood, expected, understood
from tunnels.devices.registry import PLATFORMS

CASE = "health-check"
SENT = expected(CASES[CASE], silent=frozenset())


def read(platform_id: str, change: Callable[[str], str]) -> Understood:
    """The files of the case, changed, as its reader understands them."""
    platform = PLATFORMS[platform_id]
    [file] = render_case(platform, CASES[CASE]).files
    changed = change(file.text)
    assert changed != file.text
    return understood(platform, {file.filename: changed})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Diffie-Hellman        DH31", "Diffie-Hellman        DH19"),
        ("Version               IKEv2\n", "Version               IKEv3\n"),
        ("86400 s", "86401 s"),
        ("192.168.0.0/24", "192.168.4.0/24"),
        ("Public address        198.51.100.2", "Public address        203.0.113.10"),
    ],
)
def test_a_changed_value_is_another_tunnel(old: str, new: str) -> None:
    assert read("generic-sheet", lambda text: text.replace(old, new, 1)) != SENT


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("IPsec (phase 2)\n---------------", "IPsec (phase 2)\n--------------"),
        ("Lifetime              86400 s", "Lifetime              1 day"),
        ("Version               IKEv2", "Version               IKEv2\nVersion               IKEv2"),
        ("DH31 (Curve25519)", "Curve25519"),
        ("2     192.168.1.0/25", "7     192.168.1.0/25"),
        ("idc-shanghai", "idc\u2028shanghai"),
        ("\n- NAT:", "\n- NAT:\x0b"),
    ],
)
def test_the_text_must_be_whole(old: str, new: str) -> None:
    with pytest.raises(BadFileError):
        read("generic-sheet", lambda text: text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<body>", "<body><script>alert(1)</script>"),
        ("<body>", "<body><!-- -->"),
        ("<body>", '<body><p onclick="x"></p>'),
        ("<body>", '<body><img src="x">'),
        ("</section>", "</section></div>"),
        ("<h2>Mappings</h2>", "<h2>Pairs</h2>"),
    ],
)
def test_the_page_must_be_ours(old: str, new: str) -> None:
    with pytest.raises(BadFileError):
        read("generic-page", lambda text: text.replace(old, new, 1))


def test_the_page_loads_nothing_and_escapes_the_key() -> None:
    [file] = render_case(PLATFORMS["generic-page"], CASES[CASE]).files
    assert "default-src 'none'" in file.text
    assert "http://" not in file.text
    assert "https://" not in file.text
    assert HOSTILE_PSK not in file.text
    assert file.media_type.startswith("text/html")


def test_the_json_says_a_name_once_and_no_other_names() -> None:
    with pytest.raises(BadFileError):
        read("generic-json", lambda text: text.replace('"written"', '"format": "1",\n  "written"'))
    with pytest.raises(BadFileError):
        read("generic-json", lambda text: text.replace('"pre_shared_key"', '"psk"'))


def test_the_json_holds_what_it_is_and_whether_the_key_is_in_it() -> None:
    platform = PLATFORMS["generic-json"]
    document = json.loads(render_case(platform, CASES[CASE], redacted=True).text)
    assert document["format"] == "vpn-console-tunnel/1"
    assert document["key_left_out"] is True
    assert HOSTILE_PSK not in json.dumps(document)
    assert document["health_check"]["asked"] == "169.254.128.3"
