"""The page of one tunnel: everything about it, its key on request, and editing step by step."""
