"""Where oh-tui starts: `oh-tui`, and `python -m oh_tui`."""

import gc
import sys

from oh_tui import lazy


def main() -> int:
    """Runs oh-tui and returns the exit code. What is loaded stays: nothing is collected until a
    command, or the first paint, turns that on again."""
    if sys.platform == "win32":
        # before what locks files and draws in a tty, which Windows has no modules for
        print("oh-tui does not run on Windows itself: install it in WSL 2", file=sys.stderr)
        return 2
    gc.disable()
    # With click installed, httpx loads click, rich and pygments for its own command line, which
    # doubles its import (measured).
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    lazy.install()
    from oh_tui import cli

    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
