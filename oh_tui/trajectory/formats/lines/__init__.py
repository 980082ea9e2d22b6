"""JSON lines, each a run, and the files that stand beside them."""
