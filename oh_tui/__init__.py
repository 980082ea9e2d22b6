"""oh-tui: the terminal explorer for OpenHands."""

__version__ = "0.2.0"
