"""Whether a rule about steps holds in a run."""
