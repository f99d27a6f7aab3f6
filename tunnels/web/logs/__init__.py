"""The log of a tunnel: filters, pages, following, and the log as a file."""
