"""Pure rules of site-to-site IPsec: standard library only, no I/O, milliseconds to test."""
