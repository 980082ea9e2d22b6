from tests.commands.conftest import run_file

__all__ = ["run_file"]
