"""The files that a run changed: their versions, and which step wrote each line."""
