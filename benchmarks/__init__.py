"""How fast the console is, beside what its parts cost by themselves: `make bench`."""
