"""The library: an index of the runs that this machine has or had, which nothing needs."""
