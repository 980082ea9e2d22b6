"""The views of many runs: the board, what failed, the search."""
