"""The terminal screen: app, panes, keys."""
