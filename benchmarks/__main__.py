"""`python -m benchmarks`: a PostgreSQL of its own in a temporary folder, filled, measured, removed."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tunnels.lab import LabUnavailable

GROUPS: Final = {
    "console": ("pages", "checks"),
    "agent": ("apply", "sync", "finish", "memory"),
}
PARTS: Final = tuple(part for parts in GROUPS.values() for part in parts)


def main() -> None:
    """Measure and print; nothing is asserted about time."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure VPN Console.")
    parser.add_argument(
        "parts", nargs="*", help=f"of {', '.join(PARTS)}; console and agent are several; default: all"
    )  # fmt: skip
    parser.add_argument("--tunnels", type=int, default=10_000, help="of six mappings each")
    parser.add_argument("--rounds", type=int, default=60, help="measurements of each thing")
    parser.add_argument(
        "--scales",
        type=int,
        nargs="*",
        default=[1_000, 10_000, 100_000],
        help="numbers of mappings at which the overlap check is measured",
    )
    parser.add_argument("--crowd", type=int, default=1_000, help="tunnels of one gateway")
    parser.add_argument("--applies", type=int, default=10, help="times that they are applied")
    parser.add_argument("--finishes", type=int, default=20, help="tunnels brought up one by one")
    arguments = parser.parse_args()
    for part in arguments.parts:
        if part not in GROUPS and part not in PARTS:
            parser.error(f"there is no part {part}; there are {', '.join((*GROUPS, *PARTS))}")
    wanted = {
        name for part in arguments.parts or GROUPS for name in GROUPS.get(part, (part,))
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="vpnconsole-bench-") as folder:
        # PostgreSQL runs as another user when root measures.
        Path(folder).chmod(0o755)
        os.environ["VPNCONSOLE_VAR_DIR"] = folder
        os.environ.pop("DATABASE_URL", None)
        os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
        # Settings read the environment when they are imported, so what needs them comes after.
        from vpnconsole.env import prepare_var_dir
        from vpnconsole.postgres import EmbeddedPostgres

        prepare_var_dir(Path(folder))
        server = EmbeddedPostgres(Path(folder) / "postgres")
        server.start()
        try:
            measure(wanted, arguments, Path(folder))
        finally:
            server.stop()


def measure(wanted: set[str], arguments: argparse.Namespace, folder: Path) -> None:
    """Print the wanted parts, and a summary as the last line."""
    # Django is set up by importing this one.
    from benchmarks import run  # noqa: I001
    from django.core.management import call_command

    from benchmarks.apply import measure_apply
    from benchmarks.live import measure_live
    from benchmarks.sync import measure_sync

    call_command("migrate", verbosity=0)
    out, rounds, crowd = sys.stdout, arguments.rounds, arguments.crowd
    lively = wanted & {"finish", "memory"}
    measurements: tuple[tuple[object, Callable[[], str]], ...] = (
        ("pages" in wanted, lambda: run.measure_pages(tunnels=arguments.tunnels, rounds=rounds, out=out)),
        ("checks" in wanted, lambda: run.measure_checks(rounds=rounds, scales=arguments.scales, out=out)),
        (wanted & set(GROUPS["agent"]), _heading),
        ("apply" in wanted, lambda: measure_apply(tunnels=crowd, rounds=arguments.applies, out=out)),
        ("sync" in wanted, lambda: measure_sync(tunnels=crowd, rounds=5 * rounds, out=out)),
        (lively, lambda: measure_live(
            tunnels=crowd if "memory" in wanted else 0,
            finishes=arguments.finishes if "finish" in wanted else 0, folder=folder, out=out,
        )),
    )  # fmt: skip
    sentences = []
    for asked, part in measurements:
        if asked:
            try:
                sentences.append(part())
            except LabUnavailable as reason:
                out.write(f"skipped: {reason}\n")
            out.flush()
    out.write(f"\nSummary: {'; '.join(filter(None, sentences))}.\n")


def _heading() -> str:
    sys.stdout.write(f"\n{'the agent; milliseconds':<50}{'p50':>8} {'p95':>8}  {'floor':>8}\n")
    return ""


if __name__ == "__main__":
    main()
