"""Shell commands: which programs they run, what these are for, and what they may write."""
