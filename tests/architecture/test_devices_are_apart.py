"""A device is one folder that knows no other device: it can be read, changed and thrown away alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tunnels.devices
from tunnels.devices.registry import PLATFORMS

FOLDER = Path(tunnels.devices.__file__).parent
DEVICES = sorted(path.parent for path in FOLDER.glob("*/platform.py"))
TESTS = Path(__file__).parents[1] / "devices"


def imported(path: Path) -> set[str]:
    """Every module that the file imports, and every name that it takes from one, in full."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def strangers(path: Path, own: str) -> set[str]:
    """What the file imports from the folder of another device."""
    others = {f"tunnels.devices.{device.name}" for device in DEVICES if device.name != own}
    return {
        name
        for name in imported(path)
        if any(name == other or name.startswith(f"{other}.") for other in others)
        # A relative import could mean anything.
        or name.startswith("..")
    }


def test_it_looks_at_every_platform() -> None:
    folders = {platform.parts[0].write.__module__.split(".")[2] for platform in PLATFORMS.values()}
    assert folders == {device.name for device in DEVICES}


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_no_device_knows_another(device: Path) -> None:
    assert {path.name: strangers(path, device.name) for path in device.rglob("*.py")} == {
        path.name: set() for path in device.rglob("*.py")
    }


def test_it_would_see_one_that_does(tmp_path: Path) -> None:
    first, second = DEVICES[:2]
    path = tmp_path / "platform.py"
    path.write_text(f"from tunnels.devices.{second.name}.platform import PLATFORM\n")
    assert strangers(path, first.name)
    path.write_text(f"from tunnels.devices import {second.name}\n")
    assert strangers(path, first.name)
    path.write_text(f"from tunnels.devices.{first.name} import words\n")
    assert strangers(path, first.name) == set()


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_a_device_has_templates_without_decisions(device: Path) -> None:
    templates = list(device.glob("*.j2"))
    assert templates
    for template in templates:
        text = template.read_text(encoding="utf-8")
        for word in ("{% if", "{%- if", "{% set", "{% macro", "|", "{% raw"):
            # A bar is a filter only between braces.
            found = [line for line in text.splitlines() if word in line and "{" in line]
            assert found == [], f"{template.name} decides: {word}"


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)
def test_a_reader_does_not_know_the_writer(device: Path) -> None:
    """What reads a file back is written from the device's grammar; else both would share a mistake."""
    reader = TESTS / device.name / "grammar.py"
    assert not {name for name in imported(reader) if name.startswith("tunnels.devices.")}
