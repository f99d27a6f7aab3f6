from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.builders import a_rule, a_tunnel_spec
from tests.devices.cases import CASES, NOW, render_case
from tests.devices.forms import forms_of
from tests.devices.opnsense.grammar import PHASE_1, PHASE_2, read
from tests.devices.understood import BadFileError, expected
from tunnels.devices.base import render
from tunnels.devices.opnsense.lists import esp_proposal, proposal
from tunnels.devices.registry import PLATFORMS
from tunnels.domain import crypto
from tunnels.domain.findings import RuleError
from tunnels.domain.proposals import IkeSettings, IkeVersion, IpsecSettings

OPNSENSE = PLATFORMS["opnsense"]
OVER = "Over time (s)                     8640"
COMMON = CASES["common-ikev1-main"]


def text_of(**over: object) -> str:
    [file] = render_case(OPNSENSE, replace(COMMON, **over)).files  # type: ignore[arg-type]
    return file.text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Proposals                         aes256-sha1", "Proposals                         aes256-md5"),
        ("Start action                      Trap", "Start action                      Hold"),
        ("Keyingtries                       0", "Keyingtries 0"),
        ("Keyingtries ", "Keying tries"),
        ("    => Save\n\nStep 2", "\nStep 2"),
        ("Step 3", "Step 4"),
        ("IKEv1\n", "IKEv3\n"),
        ("192.168.0.0/24\n    Remote", "192.168.0.1/24\n    Remote"),
        ("Remote Identifier                 203.0.113.10", "Remote Identifier                 203.0.113.11"),
        ("Destination Port                  500", "Destination Port                  501"),
        ("Version                           IPv4", "Version                           IPv6"),
        ("IPsec encapsulation", "LAN"),
        ("Local addresses                   198", "# Local addresses                 198"),
        ("vpnx-7k2m9q4z-1\n    => Save\n", "vpnx-7k2m9q4z-1\n    => Save\n    => Save\n"),
        ("Over time (s)                     8640", f"{OVER}\n    {OVER}"),
        ("Single host or Network 10.0.0.0/24", "Single host or Network 10.0.0.0/8"),
    ],
)  # fmt: skip
def test_its_reader_refuses_what_is_broken(old: str, new: str) -> None:
    text = text_of()
    assert old in text
    with pytest.raises((BadFileError, KeyError, ValueError)):
        read("opnsense", {"sheet": text.replace(old, new, 1)})


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("192.168.2.0/24", "192.168.3.0/24"),
        lambda text: text.replace("Aggressive                        off", "Aggressive                        on"),
        lambda text: text.replace("Golden-Key_73519", "Golden-Key_73518"),
        lambda text: text.replace("77760", "77761"),
    ],
)  # fmt: skip
def test_a_changed_value_is_another_tunnel(change: Callable[[str], str]) -> None:
    silent = frozenset({"esp_seconds", "esp_kb"})
    assert read("opnsense", {"sheet": text_of()}) == expected(COMMON, silent=silent)
    assert read("opnsense", {"sheet": change(text_of())}) != expected(COMMON, silent=silent)


def test_it_offers_exactly_what_the_lists_hold() -> None:
    """Every combination of our catalogue: accepted when, and only when, OPNsense's list has it."""
    for encryption in crypto.ENCRYPTION:
        for name in crypto.INTEGRITY if not crypto.is_aead(encryption) else crypto.PRF:
            for group in crypto.DH_GROUPS:
                ike = IkeSettings(encryption=encryption, integrity=name, prf=name, dh_group=group)
                assert _accepted(ike=ike) == (_entry(proposal, ike) in PHASE_1)
    for encryption in crypto.ESP_ENCRYPTION:
        for name in crypto.INTEGRITY:
            for group in ("", *crypto.DH_GROUPS):
                ipsec = IpsecSettings(encryption=encryption, integrity=name, pfs=group)
                listed = _entry(esp_proposal, ipsec, IkeVersion.V2) in PHASE_2
                assert _accepted(ipsec=ipsec) == listed


def _entry(make: Callable[..., str], *settings: object) -> str:
    try:
        return make(*settings)
    except KeyError:
        return "there is no word for it"


def _accepted(
    ike: IkeSettings = CASES["common-ikev2"].ike, ipsec: IpsecSettings = CASES["common-ikev2"].ipsec
) -> bool:
    try:
        render_case(OPNSENSE, a_tunnel_spec(ike=ike, ipsec=ipsec))
    except RuleError:
        return False
    return True


def test_it_names_what_the_list_lacks_and_what_it_has() -> None:
    with pytest.raises(RuleError) as caught:
        text_of(ipsec=IpsecSettings(encryption="aes-128", integrity="sha1", pfs="dh5"))
    [finding] = caught.value.findings
    assert finding.field == "ipsec.encryption"
    assert "aes128-sha1-modp1536 is not in it" in finding.message
    assert "choose AES-256 with SHA2-256 and PFS group DH14" in finding.message


def test_its_child_ends_at_the_agreed_time() -> None:
    # charon ends a CHILD_SA after 1.1 times its rekey time.
    for seconds in (180, 3_600, 86_400):
        text = text_of(ipsec=replace(COMMON.ipsec, lifetime_seconds=seconds))
        rekey = int(text.split("Description                       vpnx-7k2m9q4z-1")[0].split()[-1])
        assert seconds - 2 < rekey * 11 // 10 <= seconds


def test_it_warns_of_a_tunnel_that_takes_its_own_answers() -> None:
    spec = a_tunnel_spec(rules=(a_rule("0.0.0.0/0", "192.168.0.0/24"),))
    assert "Passthrough networks" in render_case(OPNSENSE, spec).warnings[-1]
    assert "Passthrough" not in text_of()


def test_it_owns_the_address_of_the_health_check() -> None:
    [file] = render_case(OPNSENSE, CASES["common-health-check"]).files
    owned = forms_of(file.text)[-1]
    assert owned.place == "Interfaces > Virtual IPs > Settings, button +"
    assert owned.fields["Network / Address"] == "169.254.129.2/32"
    assert "Virtual IPs > Settings: delete the one described as vpnx-7k2m9q4z.\n" in file.text
    assert "Virtual IPs" not in text_of()
    with pytest.raises(BadFileError):
        read("opnsense", {"sheet": file.text.replace("Loopback", "WAN")})


def test_its_rules_are_of_the_family_of_their_addresses() -> None:
    [file] = render_case(OPNSENSE, CASES["ipv6"]).files
    rules = [form for form in forms_of(file.text) if form.place == "Firewall > Rules, button +"]
    assert [rule.fields["Version"] for rule in rules] == ["IPv6", "IPv6", "IPv6", "IPv6", "IPv4"]


@pytest.mark.parametrize("wrong", ["WAN\n    => Save", "W A N", "x" * 33, "WAN#", "ÖPNV"])
def test_it_takes_only_the_name_of_an_interface(wrong: str) -> None:
    def ask(wan: str) -> str:
        return render(
            OPNSENSE, COMMON, version="26.x", redacted=True, now=NOW, console_version="1", given={"wan": wan}
        ).text  # fmt: skip

    assert "Interface                         WAN_FIBRE\n" in ask("WAN_FIBRE")
    assert "Destination                       WAN_FIBRE address\n" in ask("WAN_FIBRE")
    with pytest.raises(RuleError) as caught:
        ask(wrong)
    assert [finding.field for finding in caught.value.findings] == ["wan"]
