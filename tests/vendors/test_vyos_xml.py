"""The judge of VyOS's commands, with definitions of our own: the real ones are not ours to ship."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.vendors.vyos_xml import BadDefinitionsError, Node, load, main, problem, problems

# A part here, and a part in another file, as VyOS does it.
ROUTES = """<?xml version="1.0"?>
<interfaceDefinition>
  <node name="road">
    <children>
      <tagNode name="map">
        <properties>
          <constraint><regex>[a-z]+</regex></constraint>
        </properties>
        <children>
          <tagNode name="leg">
            <properties><valueHelp><format>u32:1-20</format></valueHelp></properties>
            <children>
              #include <include/ends.xml.i>
              <leafNode name="toll"><properties><valueless/></properties></leafNode>
            </children>
          </tagNode>
        </children>
      </tagNode>
    </children>
  </node>
</interfaceDefinition>
"""
ENDS = """
<leafNode name="from">
  <properties>
    <constraint><validator name="ip-address"/><regex>(any)</regex></constraint>
  </properties>
</leafNode>
<leafNode name="to">
  <properties>
    <constraint><validator name="ipv4-prefix"/><validator name="ipv6-prefix"/></constraint>
  </properties>
</leafNode>
"""
MORE = """
<interfaceDefinition>
  <node name="road">
    <children>
      <leafNode name="speed">
        <properties><constraint><validator name="numeric" argument="--range 5-130"/></constraint></properties>
      </leafNode>
      <leafNode name="name"><properties/></leafNode>
      <leafNode name="odd"><properties><constraint><validator name="nobody-knows"/></constraint></properties></leafNode>
    </children>
  </node>
</interfaceDefinition>
"""


@pytest.fixture
def tree(tmp_path: Path) -> Node:
    """The tree of the definitions above."""
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "ends.xml.i").write_text(ENDS)
    (tmp_path / "roads.xml.in").write_text(ROUTES)
    (tmp_path / "signs.xml.in").write_text(MORE)
    return load(tmp_path)


@pytest.mark.parametrize(
    "command",
    [
        "set road speed '130'",
        "set road name 'a # b; c'",
        "set road map east leg 20 from 'any'",
        "set road map east leg 1 from '192.0.2.1'",
        "set road map east leg 1 to '2001:db8::/32'",
        "set road map east leg 1 toll",
        "set road map east",
    ],
)
def test_it_takes_what_the_definitions_have(tree: Node, command: str) -> None:
    assert problem(command, tree) == ""


@pytest.mark.parametrize(
    "command",
    [
        "set rode speed '130'",
        "set road pace '130'",
        "set road speed '131'",
        "set road speed '4'",
        "set road speed 'fast'",
        "set road speed",
        "set road speed '5' '6'",
        "set road speed '5",
        "delete road speed '5'",
        "set road",
        "set road map",
        "set road map East leg 1 toll",
        "set road map east leg 21 toll",
        "set road map east leg 0 toll",
        "set road map east leg 1 toll 'yes'",
        "set road map east leg 1 from 'anywhere'",
        "set road map east leg 1 from '192.0.2.256'",
        "set road map east leg 1 to '192.0.2.1'",
        "set road map east leg 1 to '192.0.2.1/24'",
        "set road odd 'any'",
    ],
)
def test_it_catches_a_planted_mistake(tree: Node, command: str) -> None:
    assert problem(command, tree)
    [found] = problems(f"# a comment\n{command}\n\ncommit\nsave\n", tree)
    assert found.startswith("line 2: ")


def test_it_says_when_there_are_no_definitions(tmp_path: Path) -> None:
    with pytest.raises(BadDefinitionsError, match="no "):
        load(tmp_path)
    (tmp_path / "bad.xml.in").write_text("<node")
    with pytest.raises(BadDefinitionsError, match="bad"):
        load(tmp_path)
    assert main([]) == 2
