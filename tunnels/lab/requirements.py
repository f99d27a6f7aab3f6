"""What a lab needs of the machine, and sentences that say what to do when something is not there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

# Daemons live where an ordinary user's PATH does not look.
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PLUGINS = Path("/usr/lib/ipsec/plugins")
TUN = Path("/dev/net/tun")

# Program → the Debian package that brings it.
PROGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "charon-systemd": "charon-systemd",
        "swanctl": "strongswan-swanctl",
        "ip": "iproute2",
        "tc": "iproute2",
        "ping": "iputils-ping",
        "unshare": "util-linux",
        "nsenter": "util-linux",
        "setpriv": "util-linux",
    }
)
# Plugin file → the Debian package that brings it: ESP in userspace; DES and Curve25519.
PLUGIN_FILES: Mapping[str, str] = MappingProxyType(
    {
        "libstrongswan-kernel-libipsec.so": "libcharon-extra-plugins",
        "libstrongswan-gcrypt.so": "libstrongswan-extra-plugins",
    }
)
# The same for a customer with an ipsec.conf; paths are beside the folder of plugins.
STARTER_FILES: Mapping[str, str] = MappingProxyType(
    {"starter": "strongswan-starter", "charon": "strongswan-charon"}
)
_MAX = "user.max_user_namespaces"
_CLONE = "kernel.unprivileged_userns_clone"
_APPARMOR = "kernel.apparmor_restrict_unprivileged_userns"


class LabUnavailable(Exception):
    """This machine cannot run a lab; the message says why and what to do."""


class LabError(Exception):
    """Something inside a lab did not work; the message says what."""


def find_program(name: str) -> str | None:
    """The path of a program, looked for where daemons live too; None when there is none."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}")


def read_sysctl(name: str) -> str | None:
    """The value of a kernel setting, None when this kernel has none of that name."""
    try:
        return Path("/proc/sys", *name.split(".")).read_text().strip()
    except OSError:
        return None


def open_tun() -> None:
    """Open the TUN device and close it again. Raises OSError when that cannot be done."""
    os.close(os.open(TUN, os.O_RDWR | os.O_CLOEXEC))


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """How the machine is asked; tests answer in its place."""

    find: Callable[[str], str | None] = find_program
    plugins: Path = PLUGINS
    sysctl: Callable[[str], str | None] = read_sysctl
    tun: Callable[[], None] = open_tun
    is_root: Callable[[], bool] = lambda: os.geteuid() == 0


def check(machine: Machine) -> None:
    """Raise LabUnavailable when programs, plugins or the TUN device are missing."""
    missing = {
        package: None for program, package in PROGRAMS.items() if machine.find(program) is None
    } | {
        package: None
        for name, package in PLUGIN_FILES.items()
        if not (machine.plugins / name).exists()
    }
    _demand(machine, "The lab", list(missing))
    try:
        machine.tun()
    except FileNotFoundError:
        raise LabUnavailable(
            f"The lab needs {TUN}, which is not there. Load the kernel's module (as root: modprobe tun); "
            f"a container gets the device with --device {TUN}."
        ) from None
    except PermissionError:
        raise LabUnavailable(
            f"The lab needs {TUN}, and you may not open it. As root: chmod 666 {TUN}"
        ) from None
    except OSError as error:
        raise LabUnavailable(
            f"The lab needs {TUN}, and it cannot be opened ({error.strerror}). As root: modprobe tun"
        ) from None


def check_starter(machine: Machine) -> None:
    """Raise LabUnavailable when the programs are missing that load an ipsec.conf."""
    missing = [
        package
        for name, package in STARTER_FILES.items()
        if not (machine.plugins.parent / name).exists()
    ]
    _demand(machine, "A customer with an ipsec.conf", missing)


def _demand(machine: Machine, who: str, missing: Sequence[str]) -> None:
    if missing:
        sudo = "" if machine.is_root() else "sudo "
        # systemd starts what is installed; the lab must be the only strongSwan that it concerns.
        raise LabUnavailable(
            f"{who} needs Debian packages that are not installed: {', '.join(missing)}. "
            f"Install them: {sudo}apt-get install --no-install-recommends {' '.join(missing)}"
        )


def explain(machine: Machine, problem: str) -> str:
    """Why making the namespaces failed with `problem` (a program's words), and which setting allows it."""
    if machine.sysctl(_MAX) == "0":
        return _setting(_MAX, "0", f"{_MAX}=15000")
    if "No space left" in problem:
        return (
            f"All user namespaces of this machine are in use ({_MAX} is {machine.sysctl(_MAX)}). "
            f"Allow more as root: sysctl -w {_MAX}=100000"
        )
    if not machine.is_root():
        if machine.sysctl(_CLONE) == "0":
            return _setting(_CLONE, "0", f"{_CLONE}=1")
        if machine.sysctl(_APPARMOR) not in {None, "0"}:
            return _setting(_APPARMOR, machine.sysctl(_APPARMOR) or "", f"{_APPARMOR}=0")
    if "not permitted" in problem or "Permission denied" in problem:
        who = "root" if machine.is_root() else "an ordinary user"
        return (
            f"Here {who} may not make namespaces ({problem}): this looks like a container. Start it with "
            "--privileged, or with --security-opt seccomp=unconfined --cap-add SYS_ADMIN --cap-add NET_ADMIN."
        )
    return f"The lab's network could not be made: {problem or 'no reason was given'}."


def _setting(name: str, value: str, cure: str) -> str:
    return (
        f"This machine forbids user namespaces, which the lab lives in ({name} is {value}). "
        f"Allow them as root: sysctl -w {cure}"
    )
