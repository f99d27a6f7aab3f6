from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from vpnconsole.assets import FILES, alone, collect, without_dangling_links
from vpnconsole.env import Misconfigured


def test_it_drops_source_maps_and_old_fonts() -> None:
    css = (
        b'@font-face{src:url("./f.woff2?1") format("woff2"),url("./f.woff?") format("woff"),'
        b'url("./f.ttf?1") format("truetype")}\n/*# sourceMappingURL=a.css.map */\n'
    )
    assert without_dangling_links("a.css", css).strip() == (
        b'@font-face{src:url("./f.woff2?1") format("woff2")}'
    )
    assert without_dangling_links("a.js", b"x\n//# sourceMappingURL=a.js.map") == b"x\n"
    assert without_dangling_links("a.woff2", css) == css


def test_it_collects_only_what_changed(tmp_path: Path) -> None:
    for source in FILES.values():
        file = tmp_path / "node_modules" / source
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"one")
    target = tmp_path / "vendor"
    assert collect(tmp_path / "node_modules", target) == list(FILES)
    assert collect(tmp_path / "node_modules", target) == []
    (target / "htmx" / "htmx.min.js").write_bytes(b"old")
    assert collect(tmp_path / "node_modules", target) == ["htmx/htmx.min.js"]


def test_it_says_what_to_do_without_node_modules(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="make install"):
        collect(tmp_path, tmp_path / "vendor")


def test_it_lets_nobody_else_write_meanwhile(tmp_path: Path) -> None:
    other = os.open(tmp_path, os.O_RDONLY)
    try:
        with alone(tmp_path), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(other)
