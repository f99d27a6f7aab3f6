"""`python -m benchmarks`: a PostgreSQL of its own in a temporary folder, filled, measured, removed."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Measure and print; nothing is asserted about time."""
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure VPN Console.")
    parser.add_argument("--tunnels", type=int, default=10_000, help="of six mappings each")
    parser.add_argument("--rounds", type=int, default=60, help="measurements of each thing")
    parser.add_argument(
        "--scales",
        type=int,
        nargs="+",
        default=[1_000, 10_000, 100_000],
        help="numbers of mappings at which the overlap check is measured",
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vpnconsole-bench-") as folder:
        # PostgreSQL runs as another user when root measures.
        Path(folder).chmod(0o755)
        os.environ["VPNCONSOLE_VAR_DIR"] = folder
        os.environ.pop("DATABASE_URL", None)
        os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"
        # Settings read the environment when they are imported, so what needs them comes after.
        from benchmarks.run import measure_all
        from vpnconsole.env import prepare_var_dir
        from vpnconsole.postgres import EmbeddedPostgres

        prepare_var_dir(Path(folder))
        server = EmbeddedPostgres(Path(folder) / "postgres")
        server.start()
        try:
            measure_all(
                tunnels=arguments.tunnels,
                rounds=arguments.rounds,
                scales=arguments.scales,
                out=sys.stdout,
            )
        finally:
            server.stop()


if __name__ == "__main__":
    main()
