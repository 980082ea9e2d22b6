"""The tests of oh-tui."""
