"""kill -9 on real processes: a whole console, two customers, an agent, and whoever is killed next.

`python -m tests.chaos` runs it by hand; docs/survival.md tells what it guarantees.
"""
