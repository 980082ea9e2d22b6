"""What follows from the steps of a run: how it ended, loops, failures, phases, what to look at."""
