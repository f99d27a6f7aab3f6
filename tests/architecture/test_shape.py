"""The shape of the tree: short files, and templates that the content security policy allows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 400


def _tracked(*patterns: str) -> list[Path]:
    """Files that git tracks; without git (an unpacked release), all that match."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", *patterns], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode == 0 and listing.stdout:
        return [
            ROOT / name for name in listing.stdout.split("\0") if name and (ROOT / name).exists()
        ]
    return [
        path for pattern in patterns for path in ROOT.rglob(pattern) if ".venv" not in path.parts
    ]


def test_there_are_files_to_look_at() -> None:
    assert len(_tracked("*.py")) > 50
    assert len(_tracked("*.html")) > 20


def test_no_file_is_too_long_to_read() -> None:
    files = [
        path
        for path in _tracked("*.py", "*.js", "*.css", "*.html")
        if "migrations" not in path.parts
    ]
    long = {
        str(path.relative_to(ROOT)): lines for path in files if (lines := _lines(path)) > LONGEST
    }
    assert long == {}


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("an inline script", r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>"),
        ("an inline style sheet", r"<style\b"),
        ("a style attribute", r"\sstyle="),
        ("an event attribute", r"\son[a-z]+="),
        ("an htmx script attribute", r"\bhx-on\b|hx-vals=['\"]js:"),
        ("a value that is not escaped", r"\|\s*safe\b|\{%\s*autoescape off"),
        ("an address of another site", r"(?:src|href|action)=\"(?:https?:)?//"),
    ],
)
def test_no_template_holds(what: str, pattern: str) -> None:
    forbidden = re.compile(pattern, re.IGNORECASE)
    found = [
        str(path.relative_to(ROOT))
        for path in _tracked("templates/*.html")
        if forbidden.search(path.read_text())
    ]
    assert found == [], f"{what} is not allowed here"


def test_the_app_package_stays_empty() -> None:
    """An agent on a gateway host imports tunnels.* without Django."""
    assert (ROOT / "tunnels" / "__init__.py").read_text() == ""


def _lines(path: Path) -> int:
    return path.read_text().count("\n")
