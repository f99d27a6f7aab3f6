from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import a_rule, an_endpoint
from tests.devices.cases import CASES, render_case
from tests.devices.huawei_vrp.grammar import SILENT, read
from tests.devices.understood import expected
from tunnels.devices.registry import PLATFORMS
from tunnels.domain.findings import Finding, RuleError
from tunnels.domain.proposals import IpsecSettings
from tunnels.domain.secret import Secret
from tunnels.domain.spec import TunnelSpec

HUAWEI = PLATFORMS["huawei-vrp"]
V600, V500, ROUTER = HUAWEI.versions
COMMON = CASES["common-ikev2"]
IKEV1 = CASES["common-ikev1-main"]
NAMED = CASES["common-ikev1-aggressive-fqdn"]
PROBED = CASES["common-health-check"]
ANYWHERE = replace(
    COMMON, rules=(a_rule("0.0.0.0/0", "192.168.0.0/24"), a_rule("10.0.0.7/32", "192.168.1.9/32"))
)


def text_of(version: str = V600, spec: TunnelSpec = COMMON, /, **given: str) -> str:
    [file] = render_case(HUAWEI, spec, version=version, given=given).files
    return file.text


def header_of(text: str) -> str:
    return " ".join(line[1:].strip() for line in text.splitlines() if line.startswith("#"))


def refused(version: str = V600, spec: TunnelSpec = COMMON, /, **given: str) -> list[Finding]:
    with pytest.raises(RuleError) as caught:
        text_of(version, spec, **given)
    return list(caught.value.findings)


@pytest.mark.parametrize("version", HUAWEI.versions)
@pytest.mark.parametrize("spec", [IKEV1, NAMED, COMMON, PROBED, ANYWHERE])
def test_every_kind_of_device_understands_it(version: str, spec: TunnelSpec) -> None:
    text = text_of(
        version, spec, ping_source="192.168.0.1", next_hop="198.51.100.1", nat_acl="3000"
    )
    assert read("huawei-vrp", {"file": text}) == expected(spec, silent=SILENT)


def test_each_kind_has_its_own_words() -> None:
    firewall, router = text_of(), text_of(ROUTER)
    for ours, theirs in [
        ("\nipsec sha2 compatible enable\n", "\nipsec authentication sha2 compatible enable\n"),
        ("\n pre-shared-key Golden-Key_73519\n", "\n pre-shared-key cipher Golden-Key_73519\n"),
        ("\n tunnel local 198.51.100.2\n", "\n local-address 198.51.100.2\n"),
        ("\nfirewall tcp-mss 1300\n", "\n tcp adjust-mss 1300\n"),
    ]:
        assert (ours in firewall, theirs in firewall) == (True, False)
        assert (ours in router, theirs in router) == (False, True)
    assert "security-policy" not in router
    assert "nat-policy" not in router
    assert firewall.replace(V600, V500) == text_of(V500)


def test_it_switches_sha2_to_the_standard_only_where_there_is_some() -> None:
    assert "compatible" not in text_of(V600, IKEV1)
    assert "compatible" not in text_of(ROUTER, IKEV1)
    assert "ipsec sha2 compatible enable holds for all tunnels" in header_of(text_of())


@pytest.mark.parametrize("version", HUAWEI.versions)
def test_it_leaves_the_other_version_of_ike_out(version: str) -> None:
    assert "\n version 2\n undo version 1\n pre-shared-key" in text_of(version)
    old = text_of(version, IKEV1)
    assert "\n version 1\n undo version 2\n exchange-mode main\n" in old
    assert "prf" not in old.split("ike proposal 10\n")[-1].split("quit")[0]


def test_it_names_hashes_as_ikev2_does() -> None:
    ike = replace(COMMON.ike, integrity="md5")
    assert " integrity-algorithm hmac-md5-96\n prf hmac-md5\n" in text_of(
        V600, replace(COMMON, ike=ike)
    )
    ike = replace(COMMON.ike, integrity="sha2-512")
    text = text_of(V600, replace(COMMON, ike=ike))
    assert " integrity-algorithm hmac-sha2-512\n prf hmac-sha2-512\n" in text


def test_it_sends_the_payloads_of_dpd_in_the_order_of_everybody_else() -> None:
    for version in HUAWEI.versions:
        assert " dpd retry-limit 3\n dpd msg seq-hash-notify\n" in text_of(version, IKEV1)
        assert "dpd msg" not in text_of(version)
        assert "dpd" not in text_of(version, PROBED)


@pytest.mark.parametrize(("timeout", "idle", "interval"), [(30, 10, 5), (45, 15, 7), (60, 20, 10)])
def test_dpd_gives_up_within_the_timeout(timeout: int, idle: int, interval: int) -> None:
    text = text_of(V600, replace(COMMON, ike=replace(COMMON.ike, dpd_timeout=timeout)))
    assert f" dpd idle-time {idle}\n dpd retransmit-interval {interval}\n" in text
    # The question and three more.
    assert timeout - 3 <= idle + 4 * interval <= timeout


def test_a_firewall_begins_by_itself_when_the_gateway_only_waits() -> None:
    assert " sa trigger-mode auto\n" in text_of(V600, NAMED)
    assert "sa trigger-mode" not in text_of()
    assert "nqa" not in text_of(V600, NAMED, ping_source="192.168.0.1")


def test_a_router_pings_through_the_pairs_in_which_it_has_an_address() -> None:
    text = text_of(ROUTER, NAMED, ping_source="192.168.1.1")
    assert text.count("\nnqa test-instance ") == 1
    test = "\nnqa test-instance vpnx_7k2m9q4z 2\n test-type icmp\n destination-address ipv4 10.0.0.1\n source-address "
    assert f"{test}ipv4 192.168.1.1\n" in text
    assert "stop quit undo nqa test-instance vpnx_7k2m9q4z 2" in header_of(text)
    assert "trigger-mode" not in text
    for none in (
        text_of(ROUTER, NAMED),
        text_of(ROUTER, NAMED, ping_source="172.16.0.1"),
        text_of(ROUTER),
    ):
        assert "nqa" not in none


def test_a_router_pings_from_the_address_of_the_health_check() -> None:
    text = text_of(ROUTER, PROBED)
    assert " destination-address ipv4 169.254.128.2\n source-address ipv4 169.254.129.2\n" in text


@pytest.mark.parametrize("version", HUAWEI.versions)
def test_it_owns_the_address_that_the_health_check_asks(version: str) -> None:
    text = text_of(version, PROBED, loopback="7")
    assert "\ninterface LoopBack7\n ip address 169.254.129.2 255.255.255.255\n" in text
    assert "undo interface LoopBack7" in header_of(text)
    assert "LoopBack" not in text_of(version)


def test_a_firewall_lets_the_health_check_reach_itself() -> None:
    rule = (
        text_of(V600, PROBED)
        .split("\n rule name vpnx-7k2m9q4z-health\n")[1]
        .split("quit")[0]
        .split()
    )
    assert rule[:4] == ["source-zone", "untrust", "destination-zone", "local"]
    assert rule[5] == "169.254.128.2"
    assert "-health" not in text_of()


def test_what_is_not_translated_stands_first() -> None:
    text = text_of()
    for name in ("vpnx-7k2m9q4z-1", "vpnx-7k2m9q4z-2"):
        assert f"  action no-nat\n  quit\n rule move {name} top\n" in text


def test_a_router_spares_the_pairs_from_nat() -> None:
    text = text_of(ROUTER, nat_acl="3001", nat_rule="3")
    rule = "rule 4 deny ip source 192.168.1.0 0.0.0.127 destination 10.0.0.0 0.0.0.255"
    assert (
        f"\nacl number 3001\n rule 3 deny ip source 192.168.0.0 0.0.0.255 destination 10.0.0.0 0.0.0.255\n {rule}"
        in text
    )
    assert "acl number 3001 undo rule 3 undo rule 4 quit" in header_of(text)
    without = text_of(ROUTER)
    assert without.count("\nacl number ") == 1
    assert "rule 2 deny ip source 192.168.1.0 0.0.0.127" in header_of(without)


def test_the_acl_of_nat_is_not_that_of_the_tunnel() -> None:
    [finding] = refused(ROUTER, acl="3001", nat_acl="3001")
    assert finding.field == "acl"
    assert refused(ROUTER, acl="03001", nat_acl="3001") == [finding]
    assert "acl number 3001" in text_of(acl="3001", nat_acl="3001")


def test_it_routes_each_range_once_where_a_next_hop_is_given() -> None:
    text = text_of(next_hop="198.51.100.1")
    assert text.count("\nip route-static ") == 1
    assert "\nip route-static 10.0.0.0 255.255.255.0 198.51.100.1\n" in text
    assert "undo ip route-static 10.0.0.0 255.255.255.0 198.51.100.1" in header_of(text)
    assert "route-static" not in text_of()
    # The default route stays the owner's.
    assert "0.0.0.0 0.0.0.0" not in text_of(V600, ANYWHERE, next_hop="198.51.100.1")


def test_a_range_of_everything_is_no_condition_of_a_rule() -> None:
    text = text_of(V600, ANYWHERE)
    assert (
        " rule 5 permit ip source 192.168.0.0 0.0.0.255 destination 0.0.0.0 255.255.255.255\n"
        in text
    )
    assert " rule 10 permit ip source 192.168.1.9 0.0.0.0 destination 10.0.0.7 0.0.0.0\n" in text
    rule = text.split("\n rule name vpnx-7k2m9q4z-1-out\n")[1].split("quit")[0]
    assert "source-address 192.168.0.0 mask 255.255.255.0\n  action permit" in rule


def test_a_router_tells_that_its_name_is_for_all_tunnels() -> None:
    text = text_of(ROUTER, NAMED)
    assert "\nike local-name router.example.com\n" in text
    assert " remote-id gateway.example.net\n" in text
    assert "ike local-name is the name of the whole router" in header_of(text)
    assert "undo ike local-name" in header_of(text)
    assert "local-name" not in text_of(ROUTER)
    firewall = text_of(V600, NAMED)
    assert " local-id-type fqdn\n local-id router.example.com\n" in firewall
    assert " remote-id-type fqdn\n remote-id gateway.example.net\n" in firewall
    assert "local-name" not in firewall


def test_gcm_is_for_the_newest_firewalls_and_ikev2() -> None:
    gcm = IpsecSettings(encryption="aes-256-gcm", integrity="sha1", pfs="dh14")
    text = text_of(V600, replace(COMMON, ipsec=gcm))
    assert " undo esp authentication-algorithm\n esp encryption-algorithm aes-256-gcm-128\n" in text
    assert "compatible" not in text
    # What stands unused beside an AEAD is nobody's weakness.
    assert "WEAKEA" not in text
    assert read("huawei-vrp", {"file": text}).esp_integrity is None
    for version, spec in [(V500, COMMON), (ROUTER, COMMON), (V600, IKEV1)]:
        [finding] = refused(version, replace(spec, ipsec=gcm))
        assert finding.field == "ipsec.encryption"
        assert finding.message.endswith("the nearest that it has is AES-256.")


def test_a_router_has_other_groups_than_a_firewall() -> None:
    curve = replace(COMMON, ike=replace(COMMON.ike, dh_group="dh19"))
    assert " dh group19\n" in text_of(V500, curve)
    [finding] = refused(ROUTER, curve)
    assert (finding.field, "DH14" in finding.message) == ("ike.dh_group", True)
    smallest = replace(COMMON, ike=replace(COMMON.ike, dh_group="dh1"))
    assert " dh group1\n" in text_of(ROUTER, smallest)
    assert [finding.field for finding in refused(V600, smallest)] == ["ike.dh_group"]


def test_it_tells_what_needs_the_package_of_weak_algorithms() -> None:
    weak = (
        "Newer releases take SHA1 only when their package of weak algorithms (WEAKEA) is installed"
    )
    assert weak in header_of(text_of(V600, IKEV1))
    assert "WEAKEA" not in text_of()


@pytest.mark.parametrize("key", ['with"quote', "with?mark"])
def test_it_refuses_a_key_that_the_command_line_would_change(key: str) -> None:
    [finding] = refused(V600, replace(COMMON, psk=Secret(key)))
    assert finding.field == "basic.psk"
    assert f"holds {key[4]}," in finding.message
    assert key not in finding.message


@pytest.mark.parametrize("start", ["%^%#", "%$%$", "%@%@"])
def test_it_refuses_a_key_that_would_be_decrypted(start: str) -> None:
    [finding] = refused(V600, replace(COMMON, psk=Secret(f"{start}Golden-Key{start}")))
    assert finding.field == "basic.psk"
    assert f"begins with {start}" in finding.message


def test_it_carries_every_other_key() -> None:
    for key in ("a%^%#b'c\\d#e|f", "cipher-key", "#!$%&'()*+,-./:;<=>@[\\]^_`{|}~"):
        for version in HUAWEI.versions:
            text = text_of(version, replace(COMMON, psk=Secret(key)))
            assert read("huawei-vrp", {"file": text}).psk == key


@pytest.mark.parametrize("side", ["local", "remote"])
def test_it_refuses_an_address_as_identity_that_is_another_ones(side: str) -> None:
    spec = replace(COMMON, **{side: an_endpoint("somebody", "203.0.113.77", "192.0.2.1")})  # type: ignore[arg-type]
    [finding] = refused(V600, spec)
    assert finding.field == f"ike.{'remote' if side == 'remote' else 'local'}_fqdn"


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("outside", "GigabitEthernet0/0/2.64", "GigabitEthernet1/0/1\n shutdown"),
        ("outside", "Dialer1", "1/0/1"),
        ("policy", "branch_1", "sixteen-letters-"),
        ("policy", "map1", "map 1"),
        ("sequence", "10000", "10001"),
        ("proposal", "99", "100"),
        ("acl", "3999", "2999"),
        ("acl", "3000", "3000 permit"),
        ("next_hop", "198.51.100.1", "198.51.100.256"),
        ("inside_zone", "dmz", "dmz?"),
        ("outside_zone", "isp1", "isp 1"),
    ],
)
def test_it_takes_only_what_a_firewall_takes(question: str, right: str, wrong: str) -> None:
    assert right in text_of(**{question: right})
    assert [finding.field for finding in refused(**{question: wrong})] == [question]


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        ("inside", "Vlanif10", "Vlanif10;reboot"),
        ("nat_acl", "3500", "2000"),
        ("nat_rule", "4000000", "-1"),
        ("ping_source", "192.168.0.77", "192.168.0.77 quit"),
    ],
)
def test_it_takes_only_what_a_router_takes(question: str, right: str, wrong: str) -> None:
    given = {"nat_acl": "3001", "nat_rule": "1"}
    assert right in text_of(ROUTER, NAMED, **given | {question: right})
    assert question in [finding.field for finding in refused(ROUTER, NAMED, **{question: wrong})]


def test_it_asks_only_what_the_tunnel_needs() -> None:
    def asked(spec: TunnelSpec) -> set[str]:
        return {question.id for question in HUAWEI.questions if question.asked(spec)}

    assert asked(PROBED) - asked(COMMON) == {"loopback", "ping_source"}
    assert asked(NAMED) - asked(COMMON) == {"ping_source"}


@pytest.mark.parametrize("version", HUAWEI.versions)
def test_it_tells_how_each_of_its_objects_is_removed(version: str) -> None:
    text = text_of(version, PROBED, ping_source="169.254.129.2")
    header, commands = (
        header_of(text),
        [line for line in text.splitlines() if not line.startswith("#")],
    )
    made = [
        line.removesuffix(" isakmp").strip()
        for line in commands
        if line.startswith((
            "ipsec proposal", "ike proposal", "ike peer", "ipsec policy", "acl number", "interface LoopBack",
            "nqa test-instance", " rule name", "firewall tcp-mss", "ipsec sha2", "ipsec authentication",
        ))
    ]  # fmt: skip
    assert len(made) > 7
    for one in made:
        assert f"undo {one.removesuffix(' 1300')}" in header
