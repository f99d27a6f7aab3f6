"""Programs talk to the console here, with tokens instead of sessions."""
