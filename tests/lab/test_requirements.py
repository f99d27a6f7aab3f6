"""What is missing is said in one sentence with the cure; the machine's answers are given by the tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tunnels.lab import Lab, LabUnavailable
from tunnels.lab.requirements import (
    PLUGIN_FILES,
    STARTER_FILES,
    Machine,
    check,
    check_starter,
    explain,
)

MAX = "user.max_user_namespaces"
CLONE = "kernel.unprivileged_userns_clone"
APPARMOR = "kernel.apparmor_restrict_unprivileged_userns"
REFUSED = "unshare failed: Operation not permitted"


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    """A folder with all plugins that a lab needs."""
    for name in PLUGIN_FILES:
        (tmp_path / name).touch()
    return tmp_path


def _machine(
    plugins: Path,
    *,
    absent: tuple[str, ...] = (),
    root: bool = False,
    tun: Callable[[], None] = lambda: None,
    settings: dict[str, str] | None = None,
) -> Machine:
    return Machine(
        find=lambda name: None if name in absent else f"/usr/bin/{name}",
        plugins=plugins,
        sysctl=(settings or {}).get,
        tun=tun,
        is_root=lambda: root,
    )


def _raising(error: OSError) -> Callable[[], None]:
    def tun() -> None:
        raise error

    return tun


def _refusal(machine: Machine) -> str:
    with pytest.raises(LabUnavailable) as error:
        check(machine)
    return str(error.value)


def test_nothing_is_missing(plugins: Path) -> None:
    check(_machine(plugins))


@pytest.mark.parametrize(
    ("absent", "packages"),
    [
        (("charon-systemd", "swanctl"), "charon-systemd strongswan-swanctl"),
        (("ip", "tc"), "iproute2"),
        (("ping",), "iputils-ping"),
        (("unshare", "nsenter", "setpriv"), "util-linux"),
    ],
)
def test_missing_programs_are_named_as_packages(
    plugins: Path, absent: tuple[str, ...], packages: str
) -> None:
    command = f"apt-get install --no-install-recommends {packages}"
    assert _refusal(_machine(plugins, absent=absent)).endswith(f"Install them: sudo {command}")
    assert _refusal(_machine(plugins, absent=absent, root=True)).endswith(f"them: {command}")


def test_a_customer_with_an_ipsec_conf_needs_more(tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    with pytest.raises(LabUnavailable) as error:
        check_starter(_machine(plugins))
    assert str(error.value) == (
        "A customer with an ipsec.conf needs Debian packages that are not installed: strongswan-starter, "
        "strongswan-charon. Install them: sudo apt-get install --no-install-recommends "
        "strongswan-starter strongswan-charon"
    )
    for name in STARTER_FILES:
        (tmp_path / name).touch()
    check_starter(_machine(plugins))


def test_missing_plugins_are_named_as_packages(plugins: Path) -> None:
    (plugins / "libstrongswan-kernel-libipsec.so").unlink()
    assert _refusal(_machine(plugins)).endswith("recommends libcharon-extra-plugins")


@pytest.mark.parametrize(
    ("error", "cure"),
    [
        (FileNotFoundError(2, "No such file"), "modprobe tun"),
        (PermissionError(13, "Permission denied"), "chmod 666 /dev/net/tun"),
        (OSError(19, "No such device"), "(No such device). As root: modprobe tun"),
    ],
)
def test_a_missing_tun_device(plugins: Path, error: OSError, cure: str) -> None:
    assert cure in _refusal(_machine(plugins, tun=_raising(error)))


@pytest.mark.parametrize(
    ("settings", "root", "problem", "cure"),
    [
        ({MAX: "0"}, False, "unshare failed: No space left on device", f"sysctl -w {MAX}=15000"),
        ({MAX: "0"}, True, "unshare failed: No space left on device", f"sysctl -w {MAX}=15000"),
        ({MAX: "9"}, False, "unshare failed: No space left on device", f"sysctl -w {MAX}=100000"),
        ({CLONE: "0"}, False, REFUSED, f"sysctl -w {CLONE}=1"),
        ({CLONE: "1", APPARMOR: "1"}, False, REFUSED, f"sysctl -w {APPARMOR}=0"),
        ({CLONE: "0", APPARMOR: "1"}, True, REFUSED, "root may not make namespaces"),
        ({CLONE: "1", APPARMOR: "0"}, False, REFUSED, "an ordinary user may not make namespaces"),
        ({}, True, REFUSED, "--cap-add SYS_ADMIN"),
        ({}, False, "Unknown device type.", "could not be made: Unknown device type."),
    ],
)
def test_forbidden_namespaces_name_the_setting(
    plugins: Path, settings: dict[str, str], root: bool, problem: str, cure: str
) -> None:
    assert cure in explain(_machine(plugins, settings=settings, root=root), problem)


def test_a_lab_says_it_before_it_makes_anything(plugins: Path) -> None:
    lab = Lab(machine=_machine(plugins, absent=("swanctl",)))
    with pytest.raises(LabUnavailable, match="strongswan-swanctl"), lab:
        pass
    assert lab.folder == Path()


@pytest.mark.charon
@pytest.mark.usefixtures("needs_lab")
def test_a_lab_whose_namespaces_are_refused_leaves_nothing(
    plugins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = tmp_path / "bin" / "unshare"
    refusing.parent.mkdir()
    refusing.write_text(f"#!/bin/sh\necho 'unshare: {REFUSED}' >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{refusing.parent}:/usr/bin:/bin")
    lab = Lab(machine=_machine(plugins, settings={APPARMOR: "1"}))
    with pytest.raises(LabUnavailable, match=f"sysctl -w {APPARMOR}=0"), lab:
        pass
    assert not lab.folder.exists()
