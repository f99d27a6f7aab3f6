"""Fetching packages, with an apt that does as it is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.vendors.packages import VERSION, Unavailable, fetch, program

# Each does what the tests need of the real one; `world` says what the archive has, `calls` what was asked.
PROGRAMS = {
    "apt-cache": 'echo "$3:"; echo "  Candidate: $(cat known)"',
    "apt-get": (
        'echo "$1" >>calls\n'
        'case $1 in update) cp offered known;; download) [ -e online ] && grep -qxf known offered ||'
        ' { echo "E: no route" >&2; exit 100; }; cp known "$OLDPWD/$2.deb";; esac'
    ),
    "dpkg-deb": 'case $1 in --field) cat "$2";; --extract) mkdir "$3"; cp "$2" "$3/content";; esac',
}  # fmt: skip


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive that offers version 1, which apt knows; no network is a file that is not there."""
    world, programs = tmp_path / "world", tmp_path / "bin"
    world.mkdir()
    programs.mkdir()
    for name, body in PROGRAMS.items():
        path = programs / name
        inside = body if name == "dpkg-deb" else f"cd {world}\n{body}"
        path.write_text(f"#!/bin/sh\n{inside}\n", encoding="utf-8")
        path.chmod(0o755)
    for name, text in {"known": "1\n", "offered": "1\n", "online": "", "calls": ""}.items():
        (world / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return world


def calls(world: Path) -> list[str]:
    """What apt-get was asked."""
    return (world / "calls").read_text(encoding="utf-8").split()


def test_it_unpacks_once(world: Path, tmp_path: Path) -> None:
    tree = fetch("thing", into=tmp_path / "vendors")
    assert tree == tmp_path / "vendors" / "thing"
    assert (tree / "content").read_text() == "1\n"
    assert (tree / VERSION).read_text() == "1"
    assert fetch("thing", into=tmp_path / "vendors") == tree
    assert calls(world) == ["download"]
    assert [path.name for path in tree.parent.iterdir()] == ["thing"]


def test_it_renews_what_is_old(world: Path, tmp_path: Path) -> None:
    fetch("thing", into=tmp_path)
    for name in ("known", "offered"):
        (world / name).write_text("2\n", encoding="utf-8")
    assert (fetch("thing", into=tmp_path) / "content").read_text() == "2\n"
    assert (tmp_path / "thing" / VERSION).read_text() == "2"
    assert not list(tmp_path.glob(".thing*"))


def test_root_updates_lists_that_name_what_is_gone(world: Path, tmp_path: Path) -> None:
    (world / "offered").write_text("2\n", encoding="utf-8")
    assert (fetch("thing", into=tmp_path) / VERSION).read_text() == "2"
    assert calls(world) == ["download", "update", "download"]


def test_without_a_network_it_keeps_what_it_has(world: Path, tmp_path: Path) -> None:
    tree = fetch("thing", into=tmp_path)
    (world / "online").unlink()
    (world / "known").write_text("(none)\n", encoding="utf-8")
    assert fetch("thing", into=tmp_path) == tree


def test_without_a_network_it_says_so(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    (world / "online").unlink()
    with pytest.raises(Unavailable) as caught:
        fetch("thing", into=tmp_path / "vendors")
    assert str(caught.value) == (
        "Debian's package thing cannot be had: E: no route. Check the network and apt's settings, then try again."
    )
    assert calls(world) == ["download"]
    assert list((tmp_path / "vendors").iterdir()) == []


def test_without_apt_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="this machine has no apt"):
        fetch("thing", into=tmp_path)


def test_a_program_that_was_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.vendors.packages.folder", lambda: tmp_path)
    with pytest.raises(Unavailable, match=r"tests/system-packages\.sh fetches it"):
        program("thing", "usr/bin/thing")
    (tmp_path / "thing").mkdir()
    with pytest.raises(Unavailable, match="has no usr/bin/thing"):
        program("thing", "usr/bin/thing")


def test_a_program_that_lacks_a_library(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.vendors.packages.folder", lambda: tmp_path)
    (tmp_path / "thing").mkdir()
    ldd = tmp_path / "bin" / "ldd"
    ldd.write_text("#!/bin/sh\nprintf '\\tliba.so.3 => not found\\n\\tlibc.so.6 => /lib/c\\n'\n")
    ldd.chmod(0o755)
    with pytest.raises(Unavailable, match=r"thing needs liba\.so\.3: tests/system-packages\.sh"):
        program("thing", "thing")
