"""One command in namespaces of its own: no network, no processes, and mounts that nobody else sees.

It needs no root and leaves nothing behind: what it mounts goes when it ends.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.vendors.packages import Unavailable
from tunnels.lab.requirements import SYSTEM_FOLDERS, Machine, explain

SECONDS = 30


def run(
    *command: str | Path, binds: Mapping[Path, Path] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command, both outputs together in `stdout`; `binds` are (what shall appear there → what it is).

    Raises Unavailable when this machine allows no namespaces.
    """
    mounts = [
        shlex.join(["mount", "--bind", str(source), str(target)])
        for target, source in (binds or {}).items()
    ]
    done = subprocess.run(
        [
            "unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child",
            "sh", "-euc", "\n".join((*mounts, 'exec "$@"')), "sh", *command,
        ],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        timeout=SECONDS, env={"PATH": SYSTEM_FOLDERS, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
    )  # fmt: skip
    if done.returncode and done.stdout.startswith("unshare: "):
        raise Unavailable(explain(Machine(), done.stdout.strip().removeprefix("unshare: ")))
    return done
