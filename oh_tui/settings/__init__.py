"""Settings file, environment, keys found, paths, names of keyboard keys."""
