"""Where PyPI's `ansible` has the vendors' collections. They are read as data: nothing of Ansible runs.

They are licensed under the GPL: the tests read them where they are installed, and nothing of them is in this
repository.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def collection(namespace: str, name: str) -> Path:
    """The folder of a collection such as fortinet.fortios. Raises ModuleNotFoundError when there is no `ansible`."""
    spec = find_spec("ansible_collections")
    for root in (spec and spec.submodule_search_locations) or ():
        folder = Path(root) / namespace / name
        if folder.is_dir():
            return folder
    raise ModuleNotFoundError(
        "The vendors' option lists are missing: pip install -r requirements-dev.txt."
    )


@cache
def version_of(namespace: str, name: str) -> str:
    """The version of a collection. Raises ModuleNotFoundError like `collection`."""
    manifest = json.loads((collection(namespace, name) / "MANIFEST.json").read_bytes())
    return str(manifest["collection_info"]["version"])
