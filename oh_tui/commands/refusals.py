"""What the use cases find wrong, as commands say it: the server's no, with the next command."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from oh_tui.api.errors import ApiError
from oh_tui.problem import Problem, Refused

NOT_YET = "--wait waits until it is so"

_OURS = {
    "r": NOT_YET,
    "press d to try again": "try again",
    "d saves it": "oh-tui download {id} saves it",
    "p resumes it": "oh-tui resume {id} --wait",
    "wait, then press r": "try again in a moment",
    "its sandbox may be frozen: r reads again, p pauses or resumes it": "its sandbox may be "
    "frozen: try again, or oh-tui pause {id} --now and then oh-tui resume {id} --wait",
    "r reads the list": "oh-tui conversations lists what is there",
    "press r to refresh": "oh-tui conversations lists what is there",
    "r reads again": "try again",
    "it may run on there: look at the run, P lets the agent go on": "it may run on there: oh-tui "
    "tail {id} tells, and oh-tui continue {id} lets the agent go on",
    "It still ends the step in which it was stopped: P again in a moment": "It still ends the step "
    "in which it was stopped: try again in a moment",
    "P asks again": "try again, or --now",
    "P tries again": "try again",
    "P stops it": "oh-tui stop {id} stops it",
    "m tries again": "try again",
    "It is not ready for an answer: look how it stands, and try again in a moment": "It is not "
    "ready for an answer: oh-tui tail {id} tells how it stands; try again in a moment",
    "look, and answer again": "oh-tui tail {id} shows what waits now",
    "look at the run first": "look at it first: oh-tui {id}",
    "look at what it did; P stops an agent that works": "oh-tui tail {id} tells what it did, and "
    "oh-tui stop {id} --now stops an agent that works",
    "look at the list in a minute before you start it again": "oh-tui conversations lists it in a "
    "minute: look there before you start it again",
    "look at the list: it may be there; else start it again": "oh-tui conversations lists it if it "
    "is there; else start it again",
    "try again in a minute; the text is kept": "try again in a minute",
}
"""What to do about it, in the explorer, which names its keys -> in a shell."""


@contextlib.contextmanager
def refusals(identifier: str = "ID") -> Iterator[None]:
    """What the use cases find wrong is the server's no, so exit code 1; its hint is for a shell."""
    try:
        yield
    except ApiError as error:
        error.hint = _in_a_shell(error.hint, identifier)
        raise
    except Problem as problem:
        raise refused(problem, identifier) from problem


def refused(problem: Problem, identifier: str = "ID") -> Refused:
    return Refused(problem.sentence, _in_a_shell(problem.hint, identifier))


def _in_a_shell(hint: str, identifier: str) -> str:
    return _OURS[hint].replace("{id}", identifier) if hint in _OURS else hint
