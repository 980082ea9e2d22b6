"""oh-tui: the terminal explorer for OpenHands."""

__version__ = "0.1.0"
