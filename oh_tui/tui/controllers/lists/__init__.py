"""The lists: read, refresh, filter and sort them, and notify about them."""
