"""Readers of strongSwan's two formats, and what both have in common."""
