"""`python -m vpnconsole.run`: the whole console in the foreground, until Ctrl-C.

In order: refuse what cannot work, PostgreSQL, migrations, static files, first administrator, gunicorn, and in
a demo its live part; on the way out the other way round, PostgreSQL last. Only this process listens to
Ctrl-C; the others run in sessions of their own, and end by themselves when this process is killed.
"""

from __future__ import annotations

import argparse
import errno
import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from vpnconsole import assets
from vpnconsole.children import start_child, stop_child
from vpnconsole.env import BASE_DIR, Environment, Misconfigured, environment, prepare_var_dir
from vpnconsole.postgres import EmbeddedPostgres, refuse_private_folders

if TYPE_CHECKING:
    from vpnconsole.demo import Live

OLDEST_POSTGRES: Final = 14
FIRST_USER: Final = "admin"
SOCKET_LONGEST: Final = 107
WEB_START_SECONDS: Final = 60
WEB_STOP_SECONDS: Final = 20
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked this process to end. Like KeyboardInterrupt, no handler of errors catches it."""


def main() -> None:
    """Run until a signal asks to end (exit code 0), or until something fails (one sentence, 1)."""
    parser = argparse.ArgumentParser(prog="vpnconsole.run", description="Run VPN Console.")
    parser.add_argument("--example", action="store_true", help="load the example data first")
    parser.add_argument(
        "--demo",
        action="store_true",
        help="load the example, and bring one of its gateways to life",
    )
    arguments = parser.parse_args()
    for number in SIGNALS:
        signal.signal(number, _stop)
    try:
        with ExitStack() as stack:
            try:
                _serve(environment(), stack, example=arguments.example, demo=arguments.demo)
            finally:
                _ignore_signals()
    except Stopped:
        _say("Stopped.")
    except Misconfigured as error:
        sys.exit(f"vpnconsole: {error}")


def _serve(env: Environment, stack: ExitStack, *, example: bool, demo: bool) -> None:
    """Start everything, each with its end on the stack, and watch over it. Never returns normally."""
    embedded = not env.database_url
    data_dir = env.var_dir / "postgres"
    if embedded:
        refuse_private_folders(data_dir)
    prepare_var_dir(env.var_dir)
    _lock(env, stack)
    refuse_taken_port(env.bind, env.port)
    _collect_assets()
    postgres = None
    if embedded:
        _say("Starting PostgreSQL …")
        postgres = EmbeddedPostgres(data_dir)
        stack.callback(postgres.stop)
        postgres.start()
    password = _prepare(example=example, demo=demo)
    _say("Starting the web server …")
    door = env.var_dir / "run" / "console.sock" if demo else None
    web = _start_web(stack, env, door if door and fits_socket(door) else None)
    _wait_until_answering(web, env)
    live = _start_live(stack, env, door) if door else None
    _say(welcome(_url(env), password))
    if live is not None:
        _say(live.advice())
    while web.poll() is None and (postgres is None or postgres.is_running()):
        for sentence in live.step() if live is not None else ():
            _say(sentence)
        time.sleep(0.5)
    if postgres is not None and not postgres.is_running():
        raise Misconfigured(f"PostgreSQL ended by itself; {postgres.log} says why. Start again.")
    raise Misconfigured("the web server ended by itself; the lines above say why. Start again.")


def _lock(env: Environment, stack: ExitStack) -> None:
    """Hold the folder's lock as long as this process lives; it goes with the process, however it ends.

    Raises Misconfigured when another process holds it.
    """
    path = env.var_dir / "run.lock"
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be opened ({error.strerror}); run as the user that ran it first, "
            "or set VPNCONSOLE_VAR_DIR to another folder."
        ) from None
    stack.callback(os.close, file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        who = os.read(file, 200).decode(errors="replace").strip() or "another process"
        raise Misconfigured(
            f"VPN Console already runs over {env.var_dir} ({who}); "
            "stop it first, or set VPNCONSOLE_VAR_DIR to another folder."
        ) from None
    os.ftruncate(file, 0)
    os.write(file, f"process {os.getpid()}, {_url(env)}\n".encode())


def refuse_taken_port(host: str, port: int) -> None:
    """Raise Misconfigured when the web server could not listen there, before any work is done."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except socket.gaierror:
        raise Misconfigured(
            f"BIND is {host}, which is no address of a machine; use 127.0.0.1 or one of its own."
        ) from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Misconfigured(
                f"port {port} of {host} is taken by another program; "
                f"stop it, or choose another port: PORT={port + 1 if port < 65535 else 8000}."
            ) from None
        if error.errno == errno.EACCES:
            raise Misconfigured(
                f"port {port} needs more rights than this user has; choose one above 1023, "
                "such as PORT=8000."
            ) from None
        raise Misconfigured(
            f"the web server cannot listen on {host} ({error.strerror}); "
            "set BIND to an address of this machine, such as 127.0.0.1."
        ) from None


def _collect_assets() -> None:
    """Pick the browser's files; an image built without node_modules brings them picked already."""
    node_modules = BASE_DIR / "node_modules"
    if node_modules.is_dir() or not assets.TARGET.is_dir():
        with assets.alone(BASE_DIR):
            assets.collect(node_modules, assets.TARGET)


def _prepare(*, example: bool, demo: bool) -> str | None:
    """Bring database and static files up to date; the first administrator's password, if made now."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vpnconsole.settings")
    import django
    from django.core.management import call_command
    from django.db import OperationalError, connection

    django.setup()
    try:
        connection.ensure_connection()
    except OperationalError as error:
        raise Misconfigured(
            f"the database does not answer ({first_line(error)}); "
            "start it, or correct DATABASE_URL, or unset it to use the embedded one."
        ) from None
    version = connection.cursor().connection.info.server_version // 10_000
    if version < OLDEST_POSTGRES:
        raise Misconfigured(
            f"the database of DATABASE_URL is PostgreSQL {version}; "
            f"VPN Console needs {OLDEST_POSTGRES} or newer."
        )
    _say("Bringing the database up to date …")
    call_command("migrate", interactive=False, verbosity=0)
    try:
        with assets.alone(BASE_DIR):
            call_command("collectstatic", interactive=False, verbosity=0)
    except OSError as error:
        raise Misconfigured(
            f"the browser's files cannot be written to {error.filename} ({error.strerror}); "
            f"run as the user who owns {BASE_DIR}."
        ) from None
    from tunnels.services.users import create_first_administrator

    if demo:
        from vpnconsole.demo import load

        load()
    elif example:
        call_command("load_example")
    password = create_first_administrator(name=FIRST_USER)
    connection.close()
    return password.reveal() if password else None


def _start_web(stack: ExitStack, env: Environment, door: Path | None) -> subprocess.Popen[bytes]:
    """Start gunicorn; `door` is a unix socket where it listens besides, for this user alone."""
    command = [sys.executable, "-m", "gunicorn"]
    command += ["-c", str(Path(__file__).with_name("gunicorn_conf.py"))]
    variables = dict(os.environ)
    if door is not None:
        door.parent.mkdir(mode=0o700, exist_ok=True)
        command += ["--bind", env.listen, "--bind", f"unix:{door}", "--umask", "0o177"]
        # Whoever comes over the socket calls this machine localhost.
        variables["ALLOWED_HOSTS"] = ",".join({*env.hosts, "localhost"})
    web = start_child(command, death_signal=signal.SIGTERM, cwd=BASE_DIR, env=variables)
    stack.callback(
        stop_child, web, ask=signal.SIGTERM, force=signal.SIGKILL, seconds=WEB_STOP_SECONDS
    )
    return web


def _start_live(stack: ExitStack, env: Environment, door: Path) -> Live | None:
    """The live part of the demo; None when this machine cannot run it, after saying why."""
    from tunnels.lab import LabError, LabUnavailable
    from vpnconsole.demo import Live

    _say("Starting two strongSwan gateways …")
    live = Live(env.var_dir / "demo", door=door)
    try:
        if not fits_socket(door):
            raise LabUnavailable(
                f"The path {door} is too long for a socket: set VPNCONSOLE_VAR_DIR to a shorter folder."
            )
        live.start(stack)
    except (LabUnavailable, LabError) as error:
        _say(f"The demo runs without its live part, so all tunnels stay in Provisioning. {error}")
        return None
    return live


def fits_socket(path: Path) -> bool:
    """Whether the kernel takes this path for a unix socket."""
    return len(os.fsencode(path)) <= SOCKET_LONGEST


def _wait_until_answering(web: subprocess.Popen[bytes], env: Environment) -> None:
    deadline = time.monotonic() + WEB_START_SECONDS
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(env.bind, env.bind)  # noqa: S104
    while web.poll() is None and time.monotonic() < deadline:
        # The socket listens before the first worker is there, so only an answer is a sign of life.
        with (
            suppress(OSError, http.client.HTTPException),
            closing(http.client.HTTPConnection(host, env.port, timeout=5)) as connection,
        ):
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            return
        time.sleep(0.05)
    raise Misconfigured(
        "the web server does not start; the lines above say why. "
        "Run `make check` to have the settings examined."
    )


def welcome(url: str, password: str | None) -> str:
    """What a person needs to know now: where it is, and once how to sign in."""
    lines = [f"VPN Console is at {url} (Ctrl-C stops it)."]
    if password is not None:
        lines += [
            f"Sign in as {FIRST_USER} with the password {password}",
            f"This password is shown only now; change it at {url}accounts/password/change/ .",
            f"If you lose it: .venv/bin/python manage.py user password {FIRST_USER}",
        ]
    return "\n".join(lines)


def first_line(error: Exception) -> str:
    """The first line of a driver's message; it names host and user, and never the password."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].strip()


def _url(env: Environment) -> str:
    host = {"0.0.0.0": "localhost", "::": "localhost"}.get(env.bind, env.bind)  # noqa: S104
    return f"http://[{host}]:{env.port}/" if ":" in host else f"http://{host}:{env.port}/"


def _stop(number: int, frame: FrameType | None) -> None:
    """Turn the first signal into the end; the ones after it must not break the end off."""
    _ignore_signals()
    raise Stopped


def _ignore_signals() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _say(text: str) -> None:
    # The terminal may be gone already: that must not keep PostgreSQL from being stopped.
    with suppress(OSError):
        print(text, flush=True)


if __name__ == "__main__":
    main()
