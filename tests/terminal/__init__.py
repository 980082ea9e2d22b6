"""oh-tui as users run it: a process in a terminal."""
