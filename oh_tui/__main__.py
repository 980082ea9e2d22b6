"""`python -m oh_tui` is `oh-tui`."""

import sys

from oh_tui.cli import main

sys.exit(main())
