"""What others may send: text that steers terminals, JSON of any shape, keys that must not show."""
