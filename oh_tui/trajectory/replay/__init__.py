"""A recorded run as the model of another: its answers, and where what asks for them differs."""
