"""What a run was: events, steps, pairs, outcomes; pure, knows no server and no screen."""
