"""What goes wrong between us and a server, on the way, on this machine: one fault, one sentence."""
