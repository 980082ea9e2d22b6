"""Which steps of a run are worth a look of a person, and why."""
