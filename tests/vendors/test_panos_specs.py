"""The walker over Palo Alto Networks' specifications, on little ones of our own: theirs are not ours to ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vendors.panos_specs import (
    BadLineError,
    Specification,
    broken,
    check,
    commands,
    judge,
    main,
)

PROFILE = """
locations:
- {name: ngfw, xpath: {path: [config, devices, $device]}}
panos_xpath: {path: [network, profiles]}
spec:
  params:
  - {name: group, type: enum, profiles: [{xpath: [group]}], spec: {values: [{value: group14}, {value: group19}]}}
  - {name: passive, type: bool, profiles: [{xpath: [passive]}], spec: {}}
  - name: cipher
    type: list
    profiles: [{xpath: [cipher], type: member}]
    spec: {items: {type: enum, spec: {values: [{value: aes}, {value: des}]}}}
  - name: lifetime
    type: object
    profiles: [{xpath: [lifetime]}]
    spec:
      variants:
      - name: hours
        type: int64
        profiles: [{xpath: [hours]}]
        validators: [{type: length, spec: {min: 1, max: 65535}}]
  - name: peer
    type: list
    profiles: [{xpath: [peer, entry], type: entry}]
    spec:
      items:
        type: object
        spec:
          params:
          - {name: address, type: string, profiles: [{xpath: [address]}], validators: [{type: length, spec: {max: 9}}]}
          variants:
          - {name: any, type: object, profiles: [{xpath: [any]}], spec: {}}
"""
RULE = """
locations:
- {name: vsys, xpath: {path: [config, devices, $device, vsys, $vsys, rulebase]}}
panos_xpath: {path: [nat, rules]}
spec:
  params:
  - {name: from, type: list, profiles: [{xpath: [from], type: member}], spec: {items: {type: string}}}
  - {name: to, type: list, profiles: [{xpath: [to], type: member}], spec: {items: {type: string}}}
"""
ROUTE = """
locations:
- {name: ngfw, xpath: {path: [config, devices, $device]}}
panos_xpath: {path: [network, router, $parent, route, $name]}
spec:
  params:
  - {name: destination, type: string, profiles: [{xpath: [destination]}]}
"""
PLACE = "[network, ike, crypto-profiles, ike-crypto-profiles]"
GOOD = (
    "set network profiles p1 group group14",
    "set network profiles p1 passive yes",
    "set network profiles p1 cipher aes",
    "set network profiles p1 cipher [ aes des ]",
    "set network profiles p1 lifetime hours 24",
    "set network profiles p1 peer a address 192.0.2.1",
    "set network profiles p1 peer a any",
    "set rulebase nat rules r1 from trust to [ vpn other ]",
    "set network router default route r destination 192.0.2.0/24",
)


@pytest.fixture(scope="module")
def specifications() -> list[Specification]:
    return [Specification.read(text) for text in (PROFILE, RULE, ROUTE)]


@pytest.mark.parametrize("line", GOOD)
def test_it_takes_what_the_specifications_allow(
    specifications: list[Specification], line: str
) -> None:
    judge(specifications, line)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("set network profiles p1 group group15", "none of group14 group19"),
        ("set network profiles p1 groups group14", "unknown here"),
        ("set network profiles p1 passive true", "not yes or no"),
        ("set network profiles p1 cipher [ aes rot13 ]", "none of aes des"),
        ("set network profiles p1 cipher [ aes", "too early"),
        ("set network profiles p1 cipher aes ]", "unknown here"),
        ("set network profiles p1 lifetime hours 65536", "outside"),
        ("set network profiles p1 lifetime hours 1d", "outside"),
        ("set network profiles p1 lifetime", "too early"),
        ("set network profiles p1 lifetime hours", "too early"),
        ("set network profiles p1 peer a address 192.0.2.10", "outside"),
        ("set network profiles p1", "says nothing"),
        ("set network profile p1 passive yes", "no object"),
        ("set rulebase nat rules r1 from trust too vpn", "unknown here"),
        ("set network router default routes r destination x", "no object"),
        ("delete network profiles p1", "no set command"),
    ],
)
def test_it_notices(specifications: list[Specification], line: str, why: str) -> None:
    with pytest.raises(BadLineError, match=why):
        judge(specifications, line)


def test_it_knows_which_words_may_be_anything(specifications: list[Specification]) -> None:
    assert judge(specifications, "set network profiles p1 peer a address 192.0.2.1") == {3, 5, 7}
    assert judge(specifications, "set rulebase nat rules r1 from trust to vpn") == {4, 6, 8}
    assert judge(specifications, "set network profiles p1 group group14") == {3}


def test_it_judges_only_what_is_in_the_tree() -> None:
    text = "# heading\n\nset cli pager off\nconfigure\nset zone a\nmove rule top\nset import network interface x\n"
    assert commands(text) == ["set zone a"]


def test_a_mistake_that_goes_unnoticed_is_an_error(specifications: list[Specification]) -> None:
    profile = Specification.read(PROFILE.replace("[network, profiles]", PLACE))
    line = "set network ike crypto-profiles ike-crypto-profiles p1 passive yes"
    assert check([profile], {"case/file": line}) == (1, len(list(broken([line], {line: {5}}))))
    # Where a group may be any text, one that does not exist can no longer be told.
    group = "{name: dh-group, type: string, profiles: [{xpath: [dh-group]}]}"
    blind = Specification.read(
        PROFILE.replace("[network, profiles]", PLACE).replace("params:", f"params:\n  - {group}", 1)
    )
    with pytest.raises(BadLineError, match=r"unnoticed: .* dh-group group31"):
        check([blind], {"case/file": line})


def test_it_records_nothing_without_the_specifications(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 2
    assert main([str(tmp_path), "commit"]) == 1
    assert "ike-gateway.yaml" in capsys.readouterr().err
