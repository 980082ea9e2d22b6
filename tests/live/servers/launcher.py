"""Runs the OpenHands app server on one machine; started with the Python of the server's own venv.

The stock process sandbox takes a sleeping process for one that is still starting, so that no
conversation ever gets READY (measured, app server 1.11.0). That one method is replaced; and a new
sandbox may take longer than 30 s to start, for the machine may be busy.
"""

import sys

import psutil  # type: ignore[import-not-found,import-untyped,unused-ignore]
import uvicorn
from openhands.app_server.app import app  # type: ignore[import-not-found]
from openhands.app_server.sandbox.process_sandbox_service import (  # type: ignore[import-not-found]
    ProcessInfo,
    ProcessSandboxService,
)
from openhands.app_server.sandbox.sandbox_models import (  # type: ignore[import-not-found]
    SandboxStatus,
)

PATIENCE = 120
"""Seconds that the agent server of a new sandbox may take to start."""


def process_status(service: ProcessSandboxService, process: ProcessInfo) -> SandboxStatus:
    try:
        status = psutil.Process(process.pid).status()
    except psutil.Error:
        return SandboxStatus.MISSING
    if status == psutil.STATUS_ZOMBIE:
        return SandboxStatus.MISSING
    return SandboxStatus.PAUSED if status == psutil.STATUS_STOPPED else SandboxStatus.RUNNING


if __name__ == "__main__":
    ProcessSandboxService._get_process_status = process_status
    ProcessSandboxService._wait_for_server_ready.__defaults__ = (PATIENCE,)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
