"""The tools for other agents."""
