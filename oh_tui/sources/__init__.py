"""Where conversations come from: a server or files."""
