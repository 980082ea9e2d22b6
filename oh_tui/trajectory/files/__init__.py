"""The files of a run as they were: what touched them, each version, who wrote which line."""
