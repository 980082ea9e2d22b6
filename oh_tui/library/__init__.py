"""The library: an index of runs that this machine has or had. Everything works without it."""
