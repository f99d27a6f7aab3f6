"""Steps 3 and 4: every option with its strength, and what depends on what."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.web.wizard.conftest import Walk, text
from tunnels.domain import crypto
from tunnels.domain.proposals import AGGRESSIVE_CAUTION, PRESETS
from tunnels.models import Tunnel

PARTS = {"HX-Request": "true", "HX-Target": "step-body"}


def _refresh(walk: Walk, step: str, **values: Any) -> str:
    return text(walk.post(step, headers=PARTS, REFRESH="", **values))


def _options(page: str, name: str) -> dict[str, str]:
    found = re.search(rf'<select name="{name}".*?</select>', page, re.DOTALL)
    assert found, name
    return dict(re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)</option>', found.group()))


def _selected(page: str, name: str) -> str:
    found = re.search(rf'<select name="{name}".*?</select>', page, re.DOTALL)
    chosen = re.search(r'value="([^"]*)" selected', found.group()) if found else None
    return chosen.group(1) if chosen else ""


def test_every_algorithm_is_offered_with_its_strength(walk: Walk) -> None:
    walk.to("ike")
    page = _refresh(walk, "ike", **walk.ike())
    for name, table in (
        ("ike-encryption", crypto.ENCRYPTION),
        ("ike-integrity", crypto.INTEGRITY),
        ("ike-dh_group", crypto.DH_GROUPS),
    ):
        assert _options(page, name) == {
            key: f"{transform.label} ({transform.strength})" for key, transform in table.items()
        }


def test_step_4_offers_the_reference_choices_and_no_des(walk: Walk) -> None:
    page = text(walk.to("ipsec"))
    offered = _options(page, "ipsec-encryption")
    assert set(offered) == set(crypto.ESP_ENCRYPTION)
    assert "des" not in offered
    assert _options(page, "ipsec-pfs")[""] == "Disabled"
    for fixed in ("Tunnel", "ESP"):
        assert f"</i>{fixed}</span>" in page


def test_it_begins_with_the_modern_preset(walk: Walk) -> None:
    page = text(walk.to("ike"))
    assert _selected(page, "ike-version") == "2"
    assert _selected(page, "ike-encryption") == "aes-256-gcm"
    assert _selected(page, "ike-dh_group") == "dh19"
    assert re.search(r'id="preset-modern"[^>]*aria-pressed="true"', page)
    assert "checked" in page.split('name="ike-dpd_enabled"')[1][:200]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_fills_both_steps(walk: Walk, preset: str) -> None:
    walk.to("ipsec")
    values = walk.ike(local_identity="fqdn", local_fqdn="vpn.example.com", dpd_enabled="on")
    page = text(walk.post("ike", headers=PARTS, PRESET=preset, **values))
    wanted = PRESETS[preset]
    assert _selected(page, "ike-encryption") == wanted.ike.encryption
    assert _selected(page, "ike-version") == str(wanted.ike.version)
    assert 'value="vpn.example.com"' in page
    assert re.search(rf'id="preset-{preset}"[^>]*aria-pressed="true"', page)
    assert page.count('aria-pressed="true"') == 1
    page = text(walk.get("ipsec"))
    assert _selected(page, "ipsec-encryption") == wanted.ipsec.encryption
    assert _selected(page, "ipsec-pfs") == wanted.ipsec.pfs


def test_the_legacy_preset_comes_with_its_warning(walk: Walk) -> None:
    walk.to("ike")
    page = text(walk.post("ike", headers=PARTS, PRESET="legacy", **walk.ike()))
    assert PRESETS["legacy"].warning in page
    assert "IKE uses 3DES:" in page
    assert '<span class="mark mark-insecure">Insecure</span>' in page


def test_an_insecure_choice_is_explained_and_allowed(walk: Walk) -> None:
    walk.to("ike")
    weak = walk.ike(encryption="des", integrity="md5", dh_group="dh1")
    page = _refresh(walk, "ike", **weak)
    assert "Insecure, but allowed" in page
    assert "a 56-bit key is found in hours" in page
    walk.post("ike", **weak, FINISH="1")
    assert Tunnel.objects.get().ike.encryption == "des"


def test_aead_replaces_verification_by_a_prf(walk: Walk) -> None:
    walk.to("ike")
    page = _refresh(walk, "ike", **walk.ike(encryption="aes-256-gcm"))
    assert 'name="ike-prf"' in page
    assert 'name="ike-integrity"' not in page
    page = _refresh(walk, "ike", **walk.ike(encryption="aes-256"))
    assert 'name="ike-prf"' not in page
    assert 'name="ike-integrity"' in page


def test_ikev1_has_no_aead(walk: Walk) -> None:
    walk.to("ike")
    page = _refresh(walk, "ike", **walk.ike(version="1", encryption="aes-256-gcm"))
    assert _selected(page, "ike-encryption") == "aes-256"
    assert not set(_options(page, "ike-encryption")) & crypto.IKEV1_IKE_AEAD_REFUSED
    response = walk.post("ike", **walk.ike(version="1", encryption="aes-256-gcm"))
    assert response.status_code == 422
    assert "IKEv1 cannot negotiate AES-256-GCM; choose AES-256, or IKEv2." in text(response)


def test_step_4_knows_the_version_of_step_3(walk: Walk) -> None:
    walk.to("ipsec")
    walk.post("ike", **walk.ike(version="1", mode="main"))
    assert "chacha20-poly1305" not in _options(text(walk.get("ipsec")), "ipsec-encryption")
    response = walk.post("ipsec", **walk.ipsec(encryption="chacha20-poly1305"), FINISH="1")
    assert response.status_code == 422
    assert "cannot be negotiated with IKEv1" in text(response)


def test_the_negotiation_mode_is_for_ikev1(walk: Walk) -> None:
    walk.to("ike")
    assert 'name="ike-mode"' not in _refresh(walk, "ike", **walk.ike())
    page = _refresh(walk, "ike", **walk.ike(version="1", mode="main"))
    assert 'name="ike-mode"' in page
    assert AGGRESSIVE_CAUTION not in page
    page = _refresh(walk, "ike", **walk.ike(version="1", mode="aggressive"))
    assert AGGRESSIVE_CAUTION in page


def test_an_fqdn_is_asked_for_when_it_is_the_identifier(walk: Walk) -> None:
    walk.to("ike")
    page = _refresh(walk, "ike", **walk.ike(remote_identity="fqdn"))
    assert 'name="ike-remote_fqdn"' in page
    assert 'name="ike-local_fqdn"' not in page
    response = walk.post("ike", **walk.ike(remote_identity="fqdn", remote_fqdn=""))
    assert "Enter the name, or choose the IP address" in text(response)
    response = walk.post("ike", **walk.ike(remote_identity="fqdn", remote_fqdn="no_such name"))
    assert "Enter a full domain name such as vpn.example.com" in text(response)


def test_an_fqdn_is_dropped_when_the_address_is_the_identifier(walk: Walk) -> None:
    walk.to("ike")
    walk.post("ike", **walk.ike(remote_identity="ip", remote_fqdn="edge.example.net"), FINISH="1")
    assert Tunnel.objects.get().ike.remote_fqdn == ""


@pytest.mark.parametrize(
    ("step", "over", "sentence"),
    [
        ("ike", {"lifetime_seconds": "59"}, "Enter 60 to 604800 seconds"),
        ("ike", {"lifetime_seconds": "604801"}, "Enter 60 to 604800 seconds"),
        ("ike", {"lifetime_seconds": ""}, "Enter a lifetime in seconds."),
        ("ike", {"dpd_enabled": "on", "dpd_timeout": "61"}, "Enter 30 to 60 seconds"),
        ("ipsec", {"lifetime_seconds": "179"}, "Enter 180 to 604800 seconds"),
        ("ipsec", {"lifetime_kb": "2559"}, "Enter 2560 to 4294967295 KB"),
        ("ipsec", {"lifetime_kb": "9999999999999999999999"}, "Ensure this value is less than"),
        ("ipsec", {"pfs": "dh99"}, "Select a valid choice"),
    ],
)
def test_ranges_are_enforced(walk: Walk, step: str, over: dict[str, str], sentence: str) -> None:
    walk.to(step)
    values = walk.ike(**over) if step == "ike" else walk.ipsec(**over)
    response = walk.post(step, **values)
    assert response.status_code == 422
    assert sentence in text(response)


def test_dead_peer_detection_can_be_off(walk: Walk) -> None:
    walk.to("ike")
    assert 'name="ike-dpd_timeout"' not in _refresh(walk, "ike", **walk.ike())
    walk.post("ike", **walk.ike(), FINISH="1")
    assert Tunnel.objects.get().ike.dpd_enabled is False


def test_everything_chosen_arrives(walk: Walk) -> None:
    walk.to("ike")
    chosen = walk.ike(
        version="1", mode="aggressive", encryption="3des", integrity="md5", dh_group="dh24",
        lifetime_seconds="28800", local_identity="fqdn", local_fqdn="vpn.example.com",
        dpd_enabled="on", dpd_timeout="45", dpd_action="clear", negotiation="on-traffic",
    )  # fmt: skip
    walk.post("ike", **chosen)
    step_4 = {"encryption": "aes-128-gcm", "pfs": "", "lifetime_seconds": "7200"}
    walk.post("ipsec", **walk.ipsec(**step_4), FINISH="1")
    ike, ipsec = Tunnel.objects.get().ike.settings, Tunnel.objects.get().ipsec.settings
    assert (ike.version, ike.mode, ike.encryption, ike.integrity, ike.dh_group) == (
        1, "aggressive", "3des", "md5", "dh24",
    )  # fmt: skip
    assert (ike.lifetime_seconds, ike.local_fqdn, ike.remote_fqdn) == (28800, "vpn.example.com", "")
    assert (ike.dpd_enabled, ike.dpd_timeout, ike.dpd_action) == (True, 45, "clear")
    assert ike.negotiation == "on-traffic"
    assert (ipsec.encryption, ipsec.pfs, ipsec.lifetime_seconds) == ("aes-128-gcm", "", 7200)
