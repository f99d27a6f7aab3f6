"""The list of tunnels: its page, its live cells, and actions on many rows."""

from __future__ import annotations
