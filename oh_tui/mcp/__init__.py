"""`oh-tui mcp`: the runs for other agents, read only."""
