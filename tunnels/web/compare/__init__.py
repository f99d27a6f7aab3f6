"""Paste the configuration of the device at the other end, and see where it differs from the tunnel."""
