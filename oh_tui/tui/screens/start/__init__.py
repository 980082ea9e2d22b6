"""The form of a new conversation, and the tasks that the server suggests for it."""
