from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from vpnconsole import postgres
from vpnconsole.env import Misconfigured
from vpnconsole.postgres import FOR_TESTS, EmbeddedPostgres, socket_dir


def test_it_keeps_its_data_and_survives_a_reused_process_id(var_dir: Path) -> None:
    server = EmbeddedPostgres(var_dir / "postgres", settings=FOR_TESTS)
    server.start()
    with server.connect("vpnconsole", "vpnconsole") as connection:
        connection.execute("CREATE TABLE kept (n int)")
    server.stop()
    # As after a reboot: the lock names a process that lives, and is something else.
    (var_dir / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n/elsewhere\n")
    server.start()
    with server.connect("vpnconsole", "vpnconsole") as connection:
        rows = connection.execute("SELECT count(*) FROM kept").fetchall()
    server.stop()
    assert rows == [(0,)]
    assert not server.is_running()


def test_its_console_role_is_no_superuser(var_dir: Path) -> None:
    server = EmbeddedPostgres(var_dir / "postgres", settings=FOR_TESTS)
    server.start()
    with server.connect("vpnconsole", "vpnconsole") as connection:
        answer = connection.execute(
            "SELECT rolsuper, current_setting('listen_addresses') FROM pg_roles "
            "WHERE rolname = current_user"
        ).fetchall()
    server.stop()
    assert answer == [(False, "")]
    assert stat.S_IMODE((var_dir / "postgres").stat().st_mode) == 0o700


def test_it_moves_the_socket_when_the_path_is_too_long() -> None:
    short, long = Path("/srv/var/postgres"), Path("/srv") / ("x" * 100) / "postgres"
    assert socket_dir(short) == short
    assert len(str(socket_dir(long) / ".s.PGSQL.5432.lock")) <= 107
    assert socket_dir(long) != socket_dir(long / "other")


def test_it_refuses_private_folders_before_it_changes_anything(
    monkeypatch: pytest.MonkeyPatch, var_dir: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres, "programs", lambda: Path("/usr/bin"))
    home = var_dir.parent / "home"
    home.mkdir(mode=0o700)
    with pytest.raises(Misconfigured, match=f"{home} is closed to other users") as caught:
        EmbeddedPostgres(home / "console" / "var" / "postgres").start()
    assert "VPNCONSOLE_VAR_DIR" in str(caught.value)
    assert list(home.iterdir()) == []
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_it_refuses_a_folder_with_other_content(var_dir: Path) -> None:
    server = EmbeddedPostgres(var_dir / "postgres")
    server.start()
    server.stop()
    (var_dir / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(Misconfigured, match="PostgreSQL does not start in"):
        server.start()


def test_it_refuses_a_socket_folder_of_somebody_else(
    monkeypatch: pytest.MonkeyPatch, var_dir: Path
) -> None:
    theirs = var_dir.parent / "theirs"
    theirs.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can make a folder of another user")
    os.chown(theirs, 12345, 12345)
    monkeypatch.setattr(postgres, "socket_dir", lambda data_dir: theirs)
    with pytest.raises(Misconfigured, match="belongs to another user"):
        EmbeddedPostgres(var_dir / "postgres").start()
