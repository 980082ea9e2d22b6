"""The server behaviour that the service layer relies on: checked on the demo in `make test`, and
live on the real server."""
