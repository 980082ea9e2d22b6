"""Lists of conversations: pages, states, last known states, filter and order."""
