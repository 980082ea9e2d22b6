"""Rules: questions about the steps of a run, which holds or breaks each, or does not tell."""
