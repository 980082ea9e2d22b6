"""The model of a run: events, steps, pairs, outcomes; pure, knows no server and no screen."""
