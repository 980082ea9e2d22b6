"""Lists of conversations: pages, states, what was last known of them, filter and order."""
