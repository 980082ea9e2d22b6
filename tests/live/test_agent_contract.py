"""The contract of the service layer, held against real agent servers of three generations."""

# ruff: noqa: F403
import pytest

from tests.contract.git.test_git import *
from tests.contract.test_agent_events import *
from tests.contract.test_agent_setup import *
from tests.contract.test_answering import *
from tests.contract.test_files import *
from tests.contract.test_shell import *
from tests.contract.test_stopping import *
from tests.contract.test_tags import *

from .conftest import every_version

pytestmark = [pytest.mark.live, every_version]
