"""How fast oh-tui is, each line against something made of the same parts (`make bench`)."""
