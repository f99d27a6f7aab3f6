"""Other vendors' own software, for tests: fetched from Debian, never installed, run in private namespaces.

Libreswan conflicts with strongSwan, and an installed OpenIKED would start with the machine. Their packages are
therefore unpacked into a folder, and their libraries are installed (tests/system-packages.sh).
"""
