"""Commands that say something to an agent, change what it works with, or stop what starts it."""
