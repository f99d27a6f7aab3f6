"""The domain is arithmetic on values: no framework, no files, no network, no clock."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tunnels.domain

FOLDER = Path(tunnels.domain.__file__).parent
FILES = sorted(FOLDER.rglob("*.py"))
ALLOWED = {
    "__future__", "collections", "dataclasses", "datetime", "enum", "functools", "hmac", "ipaddress", "itertools", "re",
    "secrets", "string", "types", "typing", "unicodedata",
}  # fmt: skip
# Built-in functions that reach outside, or run text as code.
FORBIDDEN_CALLS = {"open", "print", "input", "eval", "exec", "compile", "__import__"}
# A point in time is a value; what the time is now, callers say.
CLOCKS = {"now", "today", "utcnow"}


def imported(tree: ast.AST) -> set[str]:
    """The modules that the file imports, in full."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names


def allowed(module: str) -> bool:
    if module == "tunnels.domain" or module.startswith("tunnels.domain."):
        return True
    return module.split(".")[0] in ALLOWED


def outside(tree: ast.AST) -> set[str]:
    """What the file touches and the domain may not."""
    calls = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    methods = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    modules = {module for module in imported(tree) if not allowed(module)}
    return modules | calls & FORBIDDEN_CALLS | methods & CLOCKS


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_imports_nothing_but_harmless_modules(path: Path) -> None:
    assert outside(ast.parse(path.read_text(encoding="utf-8"))) == set()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import os", "os"),
        ("from django.db import models", "django.db"),
        ("from tunnels.models import Tunnel", "tunnels.models"),
        ("from . import spd", "."),
        ("def f():\n    import socket", "socket"),
        ("open('x')", "open"),
        ("from datetime import datetime\ndatetime.now()", "now"),
    ],
)
def test_it_sees_what_is_not_pure(source: str, found: str) -> None:
    assert outside(ast.parse(source)) == {found}


def test_it_looks_at_the_real_files() -> None:
    assert {"spd.py", "crypto.py", "spec.py"} <= {path.name for path in FILES}
