"""What the service layer relies on: asked of the demo in `make test`, of the real server live."""
