"""The headless twin: one file a family of commands; the only places that print."""
