"""What is told of runs as JSON: commands print it, the server of tools gives it in pages."""
