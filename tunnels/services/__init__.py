"""Use cases: one function each, keyword-only. They own transactions, permissions, audit and revisions."""
