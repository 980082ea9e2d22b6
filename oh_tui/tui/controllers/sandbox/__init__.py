"""Sandboxes: pause and resume them, and work in them."""
