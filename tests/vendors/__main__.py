"""`python -m tests.vendors`: fetch what the tests run of other vendors. Does nothing when all of it is there."""

from __future__ import annotations

import sys

from tests.vendors.packages import PACKAGES, Unavailable, fetch, folder


def main() -> int:
    """Fetch each package, say what went wrong. Returns the exit code."""
    try:
        for package in PACKAGES:
            fetch(package, into=folder())
    except Unavailable as reason:
        sys.stderr.write(f"vpnconsole: {reason}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
