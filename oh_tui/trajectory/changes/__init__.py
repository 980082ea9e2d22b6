"""The files of a run: what changed, what they were at each step, who wrote which line."""
