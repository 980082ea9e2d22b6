"""The contract: the LLM profiles of an account, and switching to one through its server."""

from __future__ import annotations

import pytest

from oh_tui.api import InvalidRequest, NotFound

from .acting import Stage
from .fixtures import UNKNOWN


async def test_a_profile_of_the_account_is_what_the_agent_uses_then(stage: Stage) -> None:
    conversation = await stage.started()
    await stage.keeps_profile(conversation, "fast")
    kept = (await stage.api.llm_profiles()).profiles
    (fast,) = (one for one in kept if one.name == "fast")
    await stage.api.switch_profile(conversation.id, "fast")
    record = await stage.agent(conversation).conversation()
    assert record.model == fast.model
    assert record.agent and record.agent.llm
    assert (record.agent.llm.usage_id or "").startswith("profile:fast")
    with pytest.raises(NotFound, match="Profile 'none' not found"):
        await stage.api.switch_profile(conversation.id, "none")
    with pytest.raises(InvalidRequest):
        await stage.api.switch_profile(conversation.id, "")
    with pytest.raises(NotFound):
        await stage.api.switch_profile(UNKNOWN, "fast")
