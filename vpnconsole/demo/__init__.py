"""`make demo`: the example's first gateway on a real strongSwan, with a branch office at the other end."""

from __future__ import annotations

from vpnconsole.demo.data import load
from vpnconsole.demo.live import Live, open_lab

__all__ = ["Live", "load", "open_lab"]
