"""Remedies for problems in the explorer: the key to press."""

from __future__ import annotations

from oh_tui.batch import server_indexing
from oh_tui.text.human import plural
from oh_tui.text.problem import Problem, Remedy

WORDS = {
    Remedy.MAYBE_DONE: "It may be done already: look before you try again",
    Remedy.REFRESH: "r reads again",
    Remedy.LIST: "r reads the list",
    Remedy.WAIT: "wait, then press r",
    Remedy.WAIT_FOR_IT: "r reads again",
    Remedy.RESUME: "p resumes it",
    Remedy.THAW: "its sandbox may be frozen: r reads again, p pauses or resumes it",
    Remedy.STEP_OVER: "r reads again; before 1.12 an agent server sends no events until a step "
    "ends",
    Remedy.DOWNLOAD: "d saves it",
    Remedy.DOWNLOAD_AGAIN: "press d to try again",
    Remedy.OTHER_FOLDER: "start oh-tui in another folder",
    Remedy.NAME_FILE: "type the path of a local file",
    Remedy.LOOK: "look, and answer again",
    Remedy.LOOK_FIRST: "look at the run first",
    Remedy.LOOK_WHAT_IT_DID: "look at what it did; P stops an agent that works",
    Remedy.ANSWER_FIRST: "a answers it, P lets the agent go on",
    Remedy.ANSWER_LATER: "It is not ready for an answer: check its state, and try again in a "
    "moment",
    Remedy.STOP: "P stops it",
    Remedy.STOP_FIRST: "P stops it first",
    Remedy.STOP_AGAIN: "P asks again",
    Remedy.STOP_RUN_AGAIN: "P asks again",
    Remedy.CONTINUE: "it may still run there: look at the run; P lets the agent go on",
    Remedy.CONTINUE_AGAIN: "P tries again",
    Remedy.CONTINUE_LATER: "It is still ending its step: P again in a moment",
    Remedy.SEND_AGAIN: "m tries again",
    Remedy.MAY_ARRIVE: "It may be done already: look before you try again",
    Remedy.SEND_FIRST: "r lists it, m sends it the message; the text is kept",
    Remedy.OWN_WORDS: "it may lack the prompt for this task: type the task in your own words",
    Remedy.PAUSE_LEFT: "p on it, among the sandboxes, pauses it; the text is kept",
    Remedy.START_LATER: "try again in a minute; the text is kept",
    Remedy.LISTED_SOON: "press r in a moment",
    Remedy.FIND_START: "look at the list: it may be there; else start it again",
    Remedy.FIND_START_LATER: "look at the list in a minute before you start it again",
}


def hint_of(problem: Problem) -> str:
    """What to try next; "" for nothing."""
    return WORDS[problem.hint] if isinstance(problem.hint, Remedy) else problem.hint


def words_of(problem: Problem) -> str:
    """A problem on one line: what is wrong, and what to try next."""
    hint = "; ".join(map(str.strip, hint_of(problem).splitlines()))
    return f"{problem.sentence}: {hint}" if hint else problem.sentence


def offer(runs: int) -> str:
    """Names the key that reads the runs of a server which are not read yet, and what that takes."""
    are, them = ("is", "it") if runs == 1 else ("are", "them")
    told = f"{plural(runs, 'run')} of this server {are} not read yet"
    return f"{told}: i reads {them}, {server_indexing.price(runs)}"
