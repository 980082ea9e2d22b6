"""The run at the right: read it, move through it, search it, and report on it."""
