"""What a run cost: dollars, tokens and time, by step and by use."""
