"""`python -m tunnels.lab`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.charon
@pytest.mark.xdist_group("lab")
@pytest.mark.usefixtures("needs_lab")
def test_it_tells_how_to_use_it_and_ends_with_ctrl_c() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tunnels.lab"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.rstrip().endswith("/branch/in bash"):
                break
        text = "".join(lines)
        scripts = re.findall(r"run in it  (\S+) COMMAND", text)
        assert len(scripts) == 2
        assert "203.0.113.10, 2001:db8:ffff::10" in text
        done = subprocess.run(
            [scripts[0], "swanctl", "--stats"], capture_output=True, text=True, check=True
        )
        assert "kernel-libipsec" in done.stdout
        process.send_signal(signal.SIGINT)
        assert "The lab has ended." in process.stdout.read()
        assert process.wait(20) == 0
    assert not Path(scripts[0]).exists()


def test_it_says_what_is_missing_in_one_line(tmp_path: Path) -> None:
    # No sitecustomize, no broken machine: the reader of the machine is replaced, then the command is run.
    program = (
        "import sys; from tunnels.lab import requirements, lab\n"
        "lab.check = lambda machine: (_ for _ in ()).throw(requirements.LabUnavailable('No TUN here.'))\n"
        "from tunnels.lab.__main__ import main; sys.argv = ['lab']; sys.exit(main())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "No TUN here.\n")
