"""The panes: data in, messages out, no I/O."""
