"""oh-tui as its user has it: a process in a terminal."""
