"""The console as processes: PostgreSQL, gunicorn on a unix socket, and the desk (see `tests.chaos.desk`)."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from vpnconsole.children import start_child, stop_child
from vpnconsole.env import BASE_DIR, prepare_var_dir
from vpnconsole.postgres import EmbeddedPostgres

START_SECONDS = 60.0
STOP_SECONDS = 20.0
WORKERS = 2


class Away(Exception):
    """The desk cannot reach the database now."""


class Desk:
    """A line to the desk: `desk("state")` asks and returns the answer. Raises Away."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.desk"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
                env=environment, cwd=BASE_DIR, start_new_session=True,
            )  # fmt: skip

    def __call__(self, command: str, **fields: Any) -> dict[str, Any]:
        """Ask. Raises Away when the database does not answer, RuntimeError when the desk has failed."""
        asking, answering = self._process.stdin, self._process.stdout
        if asking is None or answering is None:
            raise RuntimeError("the desk was started without pipes")
        asking.write(f"{json.dumps({'do': command, **fields})}\n")
        asking.flush()
        line = answering.readline()
        if not line:
            raise RuntimeError(f"the desk ended at {command}; desk.log says why")
        answer: dict[str, Any] = json.loads(line)
        if "away" in answer:
            raise Away(answer["away"])
        return answer

    def close(self) -> None:
        """Hang up; the desk ends then."""
        self._process.communicate(timeout=STOP_SECONDS)


class Console:
    """All of it over one folder. `start` and `stop`; in between each part can be killed and started again."""

    desk: Desk

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "console.sock"
        self._postgres = EmbeddedPostgres(folder / "var" / "postgres")
        self._web: subprocess.Popen[bytes] | None = None

    def start(self) -> dict[str, Any]:
        """Start everything; what the desk's `setup` made."""
        prepare_var_dir(self.folder / "var")
        self._postgres.start()
        self.desk = Desk(self._environment(), self.folder / "desk.log")
        made = self.desk("setup")
        self.start_web()
        return made

    def stop(self) -> None:
        """Stop everything that runs."""
        if hasattr(self, "desk"):
            self.desk.close()
        self.stop_web()
        self._postgres.stop()

    def start_web(self) -> None:
        """Start gunicorn and wait until it answers."""
        self._launch_web()
        deadline = time.monotonic() + START_SECONDS
        while not self.answers():
            if time.monotonic() > deadline:
                raise RuntimeError("gunicorn does not start; web.log says why")
            time.sleep(0.05)

    def supervise(self) -> None:
        """Start again what has ended, as systemd would."""
        if not self._postgres.is_running():
            self._postgres.start()
        if self._web is None or self._web.poll() is not None:
            self._launch_web()

    def _launch_web(self) -> None:
        command = [sys.executable, "-m", "gunicorn", "-c", "vpnconsole/gunicorn_conf.py"]
        command += ["--bind", f"unix:{self.socket}", "--umask", "0o177"]
        with (self.folder / "web.log").open("ab") as log:
            self._web = start_child(
                command, death_signal=signal.SIGTERM, cwd=BASE_DIR, env=self._environment(),
                stdout=log, stderr=log,
            )  # fmt: skip

    def stop_web(self) -> None:
        """Take the console away in an orderly manner."""
        if self._web is not None:
            stop_child(self._web, ask=signal.SIGTERM, force=signal.SIGKILL, seconds=STOP_SECONDS)
            self._web = None

    def answers(self) -> bool:
        """Whether a request is answered, by whichever worker."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("localhost", timeout=5)
            connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            with contextlib.closing(connection):
                connection.sock.settimeout(5)
                connection.sock.connect(str(self.socket))
                connection.request("GET", "/healthz")
                return connection.getresponse().status == 200
        return False

    def workers(self) -> list[int]:
        """The numbers of gunicorn's workers."""
        if self._web is None:
            return []
        found = subprocess.run(
            ["pgrep", "-P", str(self._web.pid)], capture_output=True, text=True, check=False
        )
        return [int(word) for word in found.stdout.split()]

    def kill_worker(self, index: int) -> None:
        """Kill one; the master notices and starts another."""
        workers = self.workers()
        if workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(workers[index % len(workers)], signal.SIGKILL)

    def kill_master(self) -> None:
        """Kill gunicorn's master; its workers end by themselves."""
        if self._web is not None:
            self._web.kill()
            self._web.wait()
            self._web = None

    def kill_postgres(self) -> None:
        """Kill the postmaster; its backends end by themselves."""
        lock = self.folder / "var" / "postgres" / "postmaster.pid"
        os.kill(int(lock.read_text(encoding="ascii").splitlines()[0]), signal.SIGKILL)
        while self._postgres.is_running():
            time.sleep(0.01)

    def problems(self) -> list[str]:
        """What does not run as it should."""
        problems = []
        if not self._postgres.is_running():
            problems.append("PostgreSQL does not run")
        if self._web is None or self._web.poll() is not None:
            problems.append("gunicorn does not run")
        elif len(self.workers()) != WORKERS:
            problems.append(f"gunicorn has {len(self.workers())} workers")
        return problems

    def _environment(self) -> dict[str, str]:
        """Nothing of whoever runs this but where programs are."""
        return {
            "PATH": os.environ.get("PATH", ""),
            "LC_ALL": "C.UTF-8",
            "VPNCONSOLE_VAR_DIR": str(self.folder / "var"),
            "WEB_WORKERS": str(WORKERS),
            "ALLOWED_HOSTS": "localhost",
        }
