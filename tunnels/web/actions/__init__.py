"""What is done to one tunnel: reset, take down, bring up, delete, tags."""

from __future__ import annotations
