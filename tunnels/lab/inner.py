"""Process 1 of a lab: makes the sides' network namespaces and holds them until its owner ends.

Runs as a file, inside `unshare`, with the standard library only. It stops on the first byte (or end) of its
standard input, or when the owner's pidfd says that the owner is gone, be it by kill -9. When process 1 ends the
kernel kills every other process of the lab, and its interfaces go with its namespaces.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

CLONE_NEWNET = 0x4000_0000


class Failed(Exception):
    """A step did not work; the message is the reason in the words of the one who refused."""


def main(folder: Path, owner: int, customers: int, programs: list[str]) -> None:
    """Build, report on standard output as JSON, wait, clean up.

    `owner` is the descriptor of the owner's pidfd; `programs` are bound into `folder/bin`.
    """
    try:
        mounted = [_bind(Path(program), folder / "bin") for program in programs]
        holders = [_hold_namespace() for _ in range(customers)]
        _run("ip", "link", "set", "lo", "up")
        for number, (inner, _) in enumerate(holders):
            _run(
                "ip", "link", "add", "name", f"wan{number}",
                "type", "veth", "peer", "name", "wan", "netns", str(inner),
            )  # fmt: skip
    except (Failed, OSError) as error:
        _report({"problem": str(error)})
        return
    # Orphans of killed commands become children of process 1: nobody shall have to wait for them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _report({"pids": [_outer_pid(), *(outer for _, outer in holders)]})
    _wait(owner)
    os.kill(-1, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for path in mounted:
        _run("umount", "--lazy", str(path))
    shutil.rmtree(folder, ignore_errors=True)


def _bind(program: Path, folder: Path) -> Path:
    """Show the program below the lab's folder.

    Debian's AppArmor profiles go by path: they let /usr/sbin/charon-systemd read only the system's own files.
    """
    folder.mkdir(exist_ok=True)
    target = folder / program.name
    target.touch()
    _run("mount", "--bind", str(program), str(target))
    return target


def _hold_namespace() -> tuple[int, int]:
    """A child that sits in a network namespace of its own: (its number here, its number outside)."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        with os.fdopen(reader) as answer:
            words = answer.read()
        if not words.isdigit():
            raise Failed(words or "a network namespace could not be made")
        return child, int(words)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) == 0:
        os.write(writer, str(_outer_pid()).encode())
    else:
        os.write(writer, os.strerror(ctypes.get_errno()).encode())
    os.close(writer)
    while True:
        signal.pause()


def _outer_pid() -> int:
    """This process's number outside: /proc is still the one of the owner."""
    return int(Path("/proc/self").readlink().name)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(done.stderr.strip() or f"{command[0]} ended with {done.returncode}")


def _report(message: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _wait(owner: int) -> None:
    waiting = select.poll()
    waiting.register(owner, select.POLLIN)
    waiting.register(0, select.POLLIN | select.POLLHUP)
    waiting.poll()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
