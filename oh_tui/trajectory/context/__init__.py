"""What the model saw: the messages before each of its answers, rebuilt from the events alone."""
