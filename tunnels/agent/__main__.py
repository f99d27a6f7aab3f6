"""`python -m tunnels.agent`: see docs/agent.md."""

from __future__ import annotations

import logging
import signal
import sys
from types import FrameType

from tunnels.agent.addresses import HostAddresses
from tunnels.agent.charon import CharonUnreachable
from tunnels.agent.check import examine
from tunnels.agent.config import Options, parse
from tunnels.agent.desired import Desired
from tunnels.agent.enrolment import enrol
from tunnels.agent.files import lock_folder, make_private_folder
from tunnels.agent.fingerprint import prepare
from tunnels.agent.journal import Journal
from tunnels.agent.logs import Logs
from tunnels.agent.loop import Agent
from tunnels.agent.observe import observe
from tunnels.agent.plan import Plan, plan
from tunnels.agent.probe import Prober
from tunnels.agent.spool import Spool
from tunnels.agent.state import StateStore
from tunnels.agent.transport import ConfigurationError, Console, SyncFailed
from tunnels.agent.vici_adapter import ViciCharon


def main(arguments: list[str]) -> int:
    """Run; returns the exit code: 0 well, 1 something is missing, 2 cannot start like this."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        options = parse(arguments)
        if options.check:
            findings = examine(options)
            sys.stdout.write("\n".join(findings or ["Everything is in place."]) + "\n")
            return 1 if findings else 0
        if options.command == "enrol":
            enrol(options)
            sys.stdout.write(f"Enrolled as {options.gateway}; token in {options.token_file}.\n")
            return 0
        if options.command == "plan":
            sys.stdout.write(f"{dry_run(options)}\n")
            return 0
        agent = build(options)
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (CharonUnreachable, SyncFailed) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error.filename or options.state_dir}: {error.strerror}.\n")
        return 2
    return _work(agent, once=options.once)


def dry_run(options: Options) -> Plan:
    """What the agent would do now, from the saved state; nothing is written, so it may run beside the agent.

    Raises CharonUnreachable and OSError.
    """
    journal = Journal(options.state_dir, read_only=True)
    saved = StateStore(options.state_dir, gateway=options.gateway, read_only=True).load()
    charon = ViciCharon(options.vici)
    try:
        observation = observe(charon)
    finally:
        charon.close()
    if saved is None:
        return Plan()
    wanted, problems = prepare(saved.tunnels, journal.salt)
    return plan(wanted, observation, journal.entries, held=problems)


def build(options: Options) -> Agent:
    """The agent with all its parts; its state folder is locked. Raises ConfigurationError and OSError."""
    console = Console(
        options.console, gateway=options.gateway,
        token_file=options.token_file, ca_file=options.ca_file,
    )  # fmt: skip
    make_private_folder(options.state_dir)
    if lock_folder(options.state_dir) is None:
        raise ConfigurationError(f"Another agent works with {options.state_dir} already.")
    journal = Journal(options.state_dir)
    return Agent(
        charon=ViciCharon(options.vici),
        console=console,
        desired=Desired(StateStore(options.state_dir, gateway=options.gateway), salt=journal.salt),
        journal=journal,
        logs=Logs(Spool(options.state_dir), options.charon_log),
        prober=Prober(),
        addresses=HostAddresses(options.state_dir) if options.manage_addresses else None,
    )


def _work(agent: Agent, *, once: bool) -> int:
    def end(_number: int, _frame: FrameType | None) -> None:
        agent.stop()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        if once:
            agent.round()
        else:
            agent.run()
    finally:
        agent.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
