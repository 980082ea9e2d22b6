"""Lists of conversations: pages, states, what is remembered of them, filter and order."""
