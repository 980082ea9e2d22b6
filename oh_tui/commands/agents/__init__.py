"""Commands that say something to an agent, or change what it works with."""
