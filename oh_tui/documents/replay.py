"""The documents of `oh-tui replay`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oh_tui.actions.replay_endpoint import Endpoint
from oh_tui.text.redact import safe_line
from oh_tui.trajectory.comparison.parted import quoted, role_of
from oh_tui.trajectory.comparison.seen import Differing
from oh_tui.trajectory.replay.check import Check
from oh_tui.trajectory.replay.recorded_model import Outcome, RecordedModel

if TYPE_CHECKING:
    from oh_tui.documents.shapes import replays


def check_json(found: Check) -> replays.Check:
    return {
        "can": found.can,
        "lacks": list(found.lacks),
        "model": found.model or None,
        "tools": list(found.tools),
        "condenser": found.condenser or None,
        "folder": found.folder or None,
        "rules": safe_line(found.rules),
        "version_is_told": found.version_is_told,
        "answers": found.answers,
        "reaching": [
            {"step": n or None, "what": what, "why": why} for n, what, why in found.reaching
        ],
        "needed": [{"step": n, "path": path} for n, path in found.needed],
    }


def serving_json(endpoint: Endpoint, name: str) -> replays.Serving:
    return {
        "address": endpoint.address,
        "api_key": endpoint.token,
        "model": name,
        "answers": endpoint.model.known,
    }


def request_json(one: Outcome) -> replays.Request:
    return {
        "purpose": one.purpose.value,
        "step": one.step or None,
        "match": one.match.value if one.match else None,
        "refused": one.refused or None,
        "new": list(map(_difference_json, one.new)),
    }


def _difference_json(one: Differing) -> replays.Difference:
    now, recorded = quoted(one)
    return {
        "role": role_of(one),
        "step": one.step,
        "how": one.told.how,
        "plain": sorted(one.told.names),
        "recorded": recorded,
        "now": now,
    }


def sum_json(model: RecordedModel) -> replays.Sum:
    return {
        "answers": model.known,
        "given": model.answers,
        "matches": {match.value: count for match, count in sorted(model.counts.items())},
        "other_requests": {one.value: count for one, count in sorted(model.others.items())},
        "parted": model.has_parted,
        "conversation": None,
        "ended": None,
        "cost": None,
    }
