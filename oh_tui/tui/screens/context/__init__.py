"""The view of what the model saw at one of its answers."""
