"""What is the same in any run: what a step does, and how it failed."""
