"""What a user can do on a server: the use cases of the explorer and the commands."""
