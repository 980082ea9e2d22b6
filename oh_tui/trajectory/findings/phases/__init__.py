"""The phases of a run: consecutive steps of one purpose."""
