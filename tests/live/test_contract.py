"""The contract of the service layer, held against the real app server."""

# ruff: noqa: F403
import pytest

from tests.contract.test_conversations import *
from tests.contract.test_download import *
from tests.contract.test_events import *
from tests.contract.test_offers import *
from tests.contract.test_profiles import *
from tests.contract.test_records import *
from tests.contract.test_sandboxes import *
from tests.contract.test_starting import *
from tests.contract.test_wire import *

pytestmark = pytest.mark.live
