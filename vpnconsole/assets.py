"""The browser's files that others make: picked from node_modules, laid under build/assets/vendor.

Run as `python -m vpnconsole.assets` after `npm ci`. Templates name them by `{% static 'vendor/…' %}`.
"""

from __future__ import annotations

import fcntl
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from vpnconsole.env import BASE_DIR, Misconfigured

TARGET: Final = BASE_DIR / "build" / "assets" / "vendor"

FILES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "tabler/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
        "tabler/tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
        "htmx/htmx.min.js": "htmx.org/dist/htmx.min.js",
        "htmx/idiomorph-ext.min.js": "idiomorph/dist/idiomorph-ext.min.js",
        "uplot/uplot.min.js": "uplot/dist/uPlot.iife.min.js",
        "uplot/uplot.min.css": "uplot/dist/uPlot.min.css",
        "icons/tabler-icons.min.css": "@tabler/icons-webfont/dist/tabler-icons.min.css",
        "icons/fonts/tabler-icons.woff2": "@tabler/icons-webfont/dist/fonts/tabler-icons.woff2",
    }
)

# Source maps and the older font formats are not taken along, so nothing may point at them: the
# storage that names files by content refuses a file that points nowhere.
SOURCE_MAP: Final = re.compile(rb"(?m)^(?://|/\*)# sourceMappingURL=\S+(?: \*/)?\s*$")
OLD_FONT: Final = re.compile(rb',\s*url\("[^"]+"\)\s*format\("(?:woff|truetype)"\)')


def without_dangling_links(name: str, content: bytes) -> bytes:
    """The file without what points at files that are left behind; fonts come back as they are."""
    if name.endswith((".css", ".js")):
        content = SOURCE_MAP.sub(b"", content)
    return OLD_FONT.sub(b"", content) if name.endswith(".css") else content


def collect(node_modules: Path, target: Path) -> list[str]:
    """Lay the files under `target`; the names of those that changed.

    Raises Misconfigured when a package is not installed.
    """
    changed = []
    for name, source in FILES.items():
        try:
            content = without_dangling_links(name, (node_modules / source).read_bytes())
        except FileNotFoundError:
            raise Misconfigured(
                f"node_modules lacks {source}; run `make install` to install the browser's files."
            ) from None
        file = target / name
        if file.exists() and file.read_bytes() == content:
            continue
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        except OSError as error:
            raise Misconfigured(
                f"{file} cannot be written ({error.strerror}); run as the user who owns {target}."
            ) from None
        changed.append(name)
    return changed


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until nobody else writes the browser's files of this folder, and keep others out meanwhile.

    Consoles with folders of their own for data may share one clone, and start at the same moment.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def main() -> None:
    """Collect from this project's node_modules."""
    try:
        with alone(BASE_DIR):
            collect(BASE_DIR / "node_modules", TARGET)
    except Misconfigured as error:
        sys.exit(f"vpnconsole: {error}")


if __name__ == "__main__":
    main()
