from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.builders import a_health_check, a_rule, a_tunnel_spec
from tests.devices.cases import CASES, NOW, render_case
from tests.devices.forms import forms_of
from tests.devices.pfsense.grammar import SILENT, read
from tests.devices.understood import BadFileError, expected
from tunnels.devices.base import render
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.findings import RuleError
from tunnels.domain.proposals import DpdAction, Negotiation

PFSENSE = PLATFORMS["pfsense"]
COMMON = CASES["common-ikev2"]
ADVANCED = "System > Advanced > Firewall & NAT"


def text_of(**over: object) -> str:
    [file] = render_case(PFSENSE, replace(COMMON, **over)).files  # type: ignore[arg-type]
    return file.text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Split connections                 on", "Split connections                 off"),
        ("AES, 256 bits\n    Hash", "AES, 257 bits\n    Hash"),
        ("14 (2048 bit)\n    Life", "14\n    Life"),
        ("Mutual PSK", "Mutual Certificate"),
        ("Internet Protocol                 IPv4", "Internet Protocol                 IPv6"),
        ("Rekey Time                        77760", "Rekey Time                        86400"),
        ("Max failures                      2\n", ""),
        ("Mode                              Tunnel IPv4", "Mode                              Routed (VTI)"),
        ("NAT/BINAT translation             None", "NAT/BINAT translation             Network"),
        ("Network 192.168.0.0/24", "Network 192.168.0.9/24"),
        ("Step 2", "Step 3"),
        ("IPsec NAT-T (4500)", "ISAKMP (500)"),
        ("    => Apply Changes", "    => Apply"),
        ("IP address: 198.51.100.2", "198.51.100.2"),
        ("Hash Algorithms                   SHA256   (and no other)\n", ""),
    ],
)  # fmt: skip
def test_its_reader_refuses_what_is_broken(old: str, new: str) -> None:
    text = text_of()
    assert old in text
    if old == "    => Apply Changes":
        new = "    => Later"
    with pytest.raises((BadFileError, KeyError, ValueError)):
        read("pfsense", {"sheet": text.replace(old, new, 1)})


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("192.168.1.0/25", "192.168.3.0/25"),
        lambda text: text.replace("Golden-Key_73519", "Golden-Key_73518"),
        lambda text: text.replace("14 (2048 bit)\n    Life Time", "15 (3072 bit)\n    Life Time"),
        lambda text: text.replace("Initiate on demand (Tunnel mode only)", "Initiate at start (VTI or Tunnel Mode)"),
    ],
)  # fmt: skip
def test_a_changed_value_is_another_tunnel(change: Callable[[str], str]) -> None:
    assert read("pfsense", {"sheet": text_of()}) == expected(COMMON, silent=SILENT)
    changed = change(text_of())
    assert changed != text_of()
    assert read("pfsense", {"sheet": changed}) != expected(COMMON, silent=SILENT)


def test_it_keeps_pairs_apart_where_pfsense_would_combine_them() -> None:
    assert "Split connections                 on" in text_of()
    # IKEv1 has one pair in a phase 2 anyway, and the form does not show the field.
    [file] = render_case(PFSENSE, CASES["common-ikev1-main"]).files
    assert "Split connections" not in file.text
    assert "Rekey Time                        77760" not in file.text
    assert "Reauth Time                       77760" in file.text


def test_it_begins_and_begins_again_when_the_gateway_only_waits() -> None:
    waiting = replace(COMMON.ike, negotiation=Negotiation.PASSIVE)
    text = text_of(ike=waiting)
    assert "Initiate at start (VTI or Tunnel Mode)" in text
    assert "Child SA Close Action             Restart/Reconnect" in text
    assert text.count("Keep Alive                        on") == 2
    forgetting = text_of(ike=replace(waiting, dpd_action=DpdAction.CLEAR))
    assert "Child SA Close Action             Close connection and clear SA" in forgetting
    assert "Keep Alive" not in text_of()


@pytest.mark.parametrize("timeout", [30, 45, 60])
def test_it_gives_a_silent_peer_up_at_the_agreed_time(timeout: int) -> None:
    # ipsec.inc: dpd_timeout is the delay times one more than the failures, with IKEv1.
    ikev1 = CASES["common-ikev1-main"]
    [file] = render_case(PFSENSE, replace(ikev1, ike=replace(ikev1.ike, dpd_timeout=timeout))).files
    delay, failures = (
        int(file.text.split(f"{label:<34}")[1].split()[0]) for label in ("Delay", "Max failures")
    )
    assert delay * (failures + 1) == timeout


def test_it_opens_the_firewall_to_everybody_where_the_range_is_everything() -> None:
    spec = a_tunnel_spec(
        ike=COMMON.ike, ipsec=COMMON.ipsec, rules=(a_rule("0.0.0.0/0", "192.168.0.0/24"),)
    )
    [file] = render_case(PFSENSE, spec).files
    # The form's masks for a rule begin at /1; those of phase 2 begin at /0.
    assert "Source                            Any\n" in file.text
    assert "Remote Network                    Network 0.0.0.0/0\n" in file.text
    assert read("pfsense", {"sheet": file.text}) == expected(spec, silent=SILENT)


def test_it_warns_of_a_tunnel_that_takes_its_own_answers() -> None:
    spec = a_tunnel_spec(rules=(a_rule("0.0.0.0/0", "192.168.0.0/24"),))
    assert "Additional IPsec bypass" in render_case(PFSENSE, spec).warnings[-1]
    assert "bypass" not in text_of()


def test_it_pings_the_asking_address_from_the_pair_of_the_health_check() -> None:
    [file] = render_case(PFSENSE, CASES["common-health-check"]).files
    assert "Automatically ping host           169.254.128.2" in file.text


def test_it_tells_which_steps_are_needed_only_without_automatic_rules() -> None:
    for name in ("common-ikev2", "common-health-check"):
        [file] = render_case(PFSENSE, CASES[name]).files
        steps = re.search(r"Steps ([0-9]+) to ([0-9]+) are for", " ".join(file.text.split()))
        assert steps is not None
        openings = [
            number
            for number, form in enumerate(forms_of(file.text), start=1)
            if form.place == "Firewall > Rules > WAN, button Add"
        ]
        assert openings == list(range(int(steps[1]), int(steps[2]) + 1))


def test_it_owns_the_address_of_the_health_check_and_lets_pings_through_to_it() -> None:
    [file] = render_case(PFSENSE, CASES["common-health-check"]).files
    *_, owned, allowed = forms_of(file.text)
    assert owned.place == "Firewall > Virtual IPs, button Add"
    assert owned.fields["Address(es)"] == "169.254.129.2/32"
    # filter.inc drops what comes from or goes to 169.254.0.0/16 unless this is on.
    assert (allowed.place, allowed.fields) == (ADVANCED, {"Allow APIPA": "on"})
    assert "#   Firewall > Virtual IPs: delete the one described as vpnx-7k2m9q4z.\n" in file.text
    assert f"#   {ADVANCED}: Allow APIPA off, when nothing else needs it.\n" in file.text
    assert "Virtual IPs" not in text_of()
    assert "APIPA" not in text_of()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"{'Allow APIPA':<34}on", f"{'Allow APIPA':<34}off"),
        ("169.254.129.2/32", "169.254.129.0/30"),
        ("IP Alias", "Proxy ARP"),
    ],
)
def test_its_reader_refuses_an_address_that_would_not_answer(old: str, new: str) -> None:
    [file] = render_case(PFSENSE, CASES["common-health-check"]).files
    assert old in file.text
    with pytest.raises(BadFileError):
        read("pfsense", {"sheet": file.text.replace(old, new)})


def test_it_allows_nothing_special_for_an_address_of_the_site() -> None:
    health = a_health_check("169.254.128.2", "192.168.0.1")
    [file] = render_case(PFSENSE, replace(CASES["health-check"], health=health)).files
    assert "192.168.0.1/32" in file.text
    assert "APIPA" not in file.text


@pytest.mark.parametrize("wrong", ["WAN\n    => Save", "W A N", "x" * 33, "WAN#"])
def test_it_takes_only_the_name_of_an_interface(wrong: str) -> None:
    def ask(wan: str) -> str:
        version = PFSENSE.versions[0]
        return render(
            PFSENSE, COMMON, version=version, redacted=True, now=NOW, console_version="1", given={"wan": wan}
        ).text  # fmt: skip

    assert "OPT1 address" in ask("OPT1")
    with pytest.raises(RuleError) as caught:
        ask(wrong)
    assert [finding.field for finding in caught.value.findings] == ["wan"]
