"""Configurations for the device at the other end of a tunnel, written from the customer's side."""
