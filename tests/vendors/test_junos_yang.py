"""The walker over Juniper's models, on a little model of our own: the real ones are not ours to ship."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.vendors.junos_must import Place, UnknownConditionError, holds
from tests.vendors.junos_yang import BadLineError, Configuration, broken, check, main
from tests.vendors.yang import BadModelError, Models, read_module

MODULE = r"""
/* A model in Juniper's manner. */
module own-security {
  revision 2024-01-01 { description "Own: 1.0"; }
  augment /jc:configuration { uses security-group; }
  augment /jc:configuration/jc:groups { uses security-group; }
  grouping security-group {
    container security {
      container ipsec {
        list proposal {
          key name;
          uses named;
          leaf seconds {
            type union {
              type string { pattern "<.*>|$.*"; }
              type uint32 { range "180 .. 86400"; }
            }
          }
          choice either {
            case one {
              leaf cipher {
                type enumeration {
                  enum "aes" { junos:must "(!(\".. hash\"))"; junos:must-message "no hash beside aes"; }
                  enum "des";
                }
              }
            }
          }
          leaf hash { type enumeration { enum "sha"; } }
          leaf note { type string { length "1 .. 5"; } }
        }
        list vpn {
          key name;
          uses named;
          leaf proposal {
            junos:must "(\"security ipsec proposal $$\")";
            junos:must-message "the proposal " + 'must be there';
            type string { length "1 .. 32"; }
          }
          leaf-list peers {
            junos:must "(\".. .. proposal\" && any \"security ipsec proposal <*> cipher\")";
            junos:must-message "peers need a cipher";
            type jt:ipaddr;
          }
          container monitor { presence "enable monitor"; leaf fast { type empty; } }
          container identity {
            container inet { leaf address { junos:cli-feature "nokeyword"; type jt:ipv4addr; } }
          }
        }
      }
      container policies {
        list policy {
          key "from-zone-name to-zone-name";
          leaf from-zone-name { junos:cli-feature "nokeyword"; type string; }
          leaf to-zone-name { type string; }
          leaf permit { type empty; }
        }
      }
    }
  }
  grouping named {
    leaf name {
      junos:cli-feature "nokeyword";
      type string { length "1 .. 8"; junos:posix-pattern "^[[:alnum:]][[:alnum:]-]*$"; }
    }
  }
}
"""
GOOD = """\
# a comment
set security ipsec proposal p1 seconds 3600
set security ipsec proposal p1 cipher aes
set security ipsec proposal p1 note "a b"
set security ipsec vpn v1 proposal p1
set security ipsec vpn v1 peers 2001:db8::1
set security ipsec vpn v1 monitor
set security ipsec vpn v1 identity inet 192.0.2.1
set security policies from-zone a to-zone b permit
"""


@pytest.fixture(scope="module")
def models() -> Models:
    return Models([read_module(MODULE)])


def problems(models: Models, text: str) -> list[str]:
    configuration = Configuration(models)
    try:
        configuration.load(text.splitlines())
    except BadLineError as error:
        return [str(error)]
    return list(configuration.problems())


def test_it_takes_what_the_model_allows(models: Models) -> None:
    assert problems(models, GOOD) == []
    assert models.release == "Own: 1.0"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("cipher aes", "cypher aes", "cypher is unknown"),
        ("cipher aes", "cipher rot13", "none of aes des"),
        ("cipher aes", "cipher", "not finished"),
        ("cipher aes", "cipher aes des", "too much"),
        ("seconds 3600", "seconds 179", "outside"),
        ("seconds 3600", "seconds 1h", "no uint32"),
        ('note "a b"', "note toolong", "length 7"),
        ("proposal p1 note", "proposal p_1 note", "is not like"),
        ("proposal p1 note", "proposal p12345678 note", "length 9"),
        ("vpn v1 proposal p1", "vpn v1 proposal p2", "the proposal must be there"),
        ("cipher aes", "hash sha", "peers need a cipher"),
        ("set security ipsec vpn v1 proposal p1\n", "", "peers need a cipher"),
        ("seconds 3600", "hash sha", "no hash beside aes"),
        ("peers 2001:db8::1", "peers 2001:db8::g", "no IP address"),
        ("inet 192.0.2.1", "inet 192.0.2.256", "no IPv4 address"),
        ("identity inet 192.0.2.1", "identity inet", "too early"),
        ("to-zone b", "to-zon b", "stands where to-zone belongs"),
        ("from-zone a", "policy a", "unknown"),
        ("set security ipsec vpn v1 monitor", "delete security ipsec vpn v1 monitor", "no set command"),
        ("set security", "set securities", "nothing is called"),
        ("seconds 3600", "seconds 3600\nset security ipsec proposal p1 seconds 3601", "set twice"),
    ],
)  # fmt: skip
def test_it_notices(models: Models, old: str, new: str, why: str) -> None:
    assert old in GOOD
    found = problems(models, GOOD.replace(old, new, 1))
    assert any(why in problem for problem in found), found


def test_a_condition_is_read_from_where_it_stands() -> None:
    tree: dict[str, Any] = {"a": {"b": {"c": {}}}, "interfaces": {"ge-0/0/0": {"unit": {"7": {}}}}}
    place = Place((tree, tree["a"], tree["a"]["b"]), "ge-0/0/0.7")
    for condition in (
        '(".. c")',
        '(".. .. b")',
        '(".. .. .. a b")',
        '("interfaces $$-IFL")',
        '(!(".. d") && ("a" || "z"))',
        'any "a <*> c"',
    ):
        assert holds(condition, place), condition
    for condition in ('(".. b")', '(".. .. .. .. a")', '("interfaces $$")', '(!("a"))'):
        assert not holds(condition, place), condition


@pytest.mark.parametrize(
    "condition", ['(unique "a")', '(".. b"', '(".. x $$={any}")', '("a") "b"', '("a" ^ "b")']
)
def test_a_condition_that_it_does_not_know_is_not_taken_for_granted(condition: str) -> None:
    with pytest.raises(UnknownConditionError):
        holds(condition, Place(({"a": {}},), "v"))


@pytest.mark.parametrize(
    "text", ["module a {", "container a;", "module a { } x", 'module a { b "c }']
)
def test_a_broken_module_is_refused(text: str) -> None:
    with pytest.raises(BadModelError):
        read_module(text)


def test_a_missing_grouping_is_refused() -> None:
    text = MODULE.replace("grouping named {", "grouping renamed {")
    with pytest.raises(BadModelError, match="named"):
        Configuration(Models([read_module(text)])).load(GOOD.splitlines())


def test_a_mistake_that_goes_unnoticed_is_an_error(models: Models) -> None:
    """The lines that stand before ours are no part of this model: nothing at all is right."""
    with pytest.raises(BadLineError, match=r"case/file: nothing is called interfaces"):
        check(models, {"case/file": GOOD})


def test_it_misspells_each_word_that_is_not_free() -> None:
    line = "set security ipsec vpn vpnx-1 bind-interface st0.1"
    wrong = [mistake for mistake, _ in broken(f"{line}\n", frozenset({(line, 4), (line, 6)}))]
    assert wrong[:4] == [
        line.replace("security", "securityq"),
        line.replace("ipsec", "ipsecq"),
        line.replace("vpn ", "vpnq "),
        line.replace("bind-interface", "bind-interfaceq"),
    ]
    assert all("vpnx-1" in mistake for mistake in wrong[4:])
    assert len(wrong) > 4


def test_it_records_nothing_without_the_models(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 2
    assert main([str(tmp_path)]) == 1
    assert "junos-es-conf-root" in capsys.readouterr().err
