"""What git tells on an agent server, and what it makes there."""
