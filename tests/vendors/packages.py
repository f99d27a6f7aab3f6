"""Debian packages that are unpacked instead of installed, each into `VAR_DIR/vendors/<package>`.

apt checks their signatures. A package's folder appears at once, complete, and is renewed when apt knows another
version; the file VERSION in it says which one it is.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from vpnconsole.env import environment

PACKAGES = ("libreswan", "openiked")
VERSION = "VERSION"
APT_SECONDS = 300
HOW = "tests/system-packages.sh fetches it"

_CANDIDATE = re.compile(r"^  Candidate: (\S+)$", re.MULTILINE)
_LACKING = re.compile(r"^\s*(\S+) => not found$", re.MULTILINE)


class Unavailable(Exception):
    """A vendor's software cannot be had or cannot run here; the message says why and what to do."""


def folder() -> Path:
    """Where the packages are unpacked."""
    return environment().var_dir / "vendors"


def tree(package: str) -> Path:
    """The unpacked package: what would be `/`. Raises Unavailable when it has not been fetched."""
    path = folder() / package
    if not path.is_dir():
        raise Unavailable(f"Debian's package {package} is not in {folder()}: {HOW}.")
    return path


def program(package: str, path: str) -> Path:
    """A program of an unpacked package. Raises Unavailable when it, or a library that it needs, is missing."""
    found = tree(package) / path
    asked = subprocess.run(["ldd", found], capture_output=True, text=True, check=False)
    if asked.returncode:
        raise Unavailable(f"Debian's package {package} has no {path}: another version than ours?")
    if lacking := _LACKING.findall(asked.stdout):
        raise Unavailable(
            f"{found.name} needs {', '.join(lacking)}: tests/system-packages.sh installs its libraries."
        )
    return found


def fetch(package: str, *, into: Path) -> Path:
    """Unpack the version that apt would install, unless it is there. Returns its folder.

    What is there stays when apt knows no version, as without a network. Raises Unavailable when there is nothing.
    """
    goal = into / package
    candidate = _candidate(package)
    if goal.is_dir() and candidate in {"", (goal / VERSION).read_text(encoding="utf-8")}:
        return goal
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=into, prefix=f".{package}-") as name:
        work = Path(name)
        _download(package, work)
        [archive] = work.glob("*.deb")
        version = _apt(package, "dpkg-deb", "--field", str(archive), "Version").strip()
        fresh = work / "tree"
        _apt(package, "dpkg-deb", "--extract", str(archive), str(fresh))
        (fresh / VERSION).write_text(version, encoding="utf-8")
        if goal.is_dir():
            goal.rename(work / "old")
        fresh.rename(goal)
    return goal


def _download(package: str, into: Path) -> None:
    command = ("apt-get", "download", package)
    try:
        _apt(package, *command, cwd=into)
    except Unavailable:
        # Lists may be missing, or name a version that the archive no longer has.
        if os.geteuid():
            raise
        _apt(package, "apt-get", "update")
        _apt(package, *command, cwd=into)


def _candidate(package: str) -> str:
    """The version that apt would install; empty when its lists have none."""
    if shutil.which("apt-cache") is None:
        raise Unavailable(f"{package} comes from Debian's archive, and this machine has no apt.")
    said = _apt(package, "apt-cache", "policy", package)
    found = _CANDIDATE.search(said)
    return found[1] if found and found[1] != "(none)" else ""


def _apt(package: str, *command: str, cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, check=False, timeout=APT_SECONDS,
            env={**os.environ, "LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Unavailable(_cannot(package, "the archive does not answer")) from None
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise Unavailable(_cannot(package, lines[-1] if lines else f"{command[0]} failed"))
    return done.stdout


def _cannot(package: str, why: str) -> str:
    return f"Debian's package {package} cannot be had: {why}. Check the network and apt's settings, then try again."
