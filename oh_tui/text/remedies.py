"""What helps against a problem, in a shell: the next command."""

from __future__ import annotations

from oh_tui.text.problem import Remedy

WORDS = {
    Remedy.MAYBE_DONE: "It may be done already: look before you try again",
    Remedy.REFRESH: "try again",
    Remedy.LIST: "oh-tui conversations lists what is there",
    Remedy.WAIT: "try again in a moment",
    Remedy.WAIT_FOR_IT: "--wait waits until it is so",
    Remedy.RESUME: "oh-tui resume {id} --wait",
    Remedy.THAW: "its sandbox may be frozen: try again, or oh-tui pause {id} --now and then "
    "oh-tui resume {id} --wait",
    Remedy.STEP_OVER: "try again; before 1.12 an agent server sends no events until a step ends",
    Remedy.DOWNLOAD: "oh-tui download {id} saves it",
    Remedy.DOWNLOAD_AGAIN: "try again",
    Remedy.OTHER_FOLDER: "name another folder with -o",
    Remedy.NAME_FILE: "name a local file",
    Remedy.LOOK: "oh-tui tail {id} shows what waits now",
    Remedy.LOOK_FIRST: "look at it first: oh-tui {id}",
    Remedy.LOOK_WHAT_IT_DID: "oh-tui tail {id} shows what it did; oh-tui stop {id} --now stops an "
    "agent that works",
    Remedy.ANSWER_FIRST: "oh-tui approve {id} or oh-tui reject {id} answers it, oh-tui continue "
    "{id} lets the agent go on",
    Remedy.ANSWER_LATER: "It is not ready for an answer: oh-tui tail {id} shows its state; try "
    "again in a moment",
    Remedy.STOP: "oh-tui stop {id} stops it",
    Remedy.STOP_FIRST: "oh-tui stop {id} stops it first",
    Remedy.STOP_AGAIN: "try again, or --now",
    Remedy.CONTINUE: "it may still run there: look with oh-tui tail {id}; oh-tui continue {id} "
    "lets the agent go on",
    Remedy.CONTINUE_AGAIN: "try again",
    Remedy.CONTINUE_LATER: "It is still ending its step: try again in a moment",
    Remedy.SEND_AGAIN: "try again",
    Remedy.MAY_ARRIVE: "the message may still arrive: look with oh-tui tail {id} before you "
    "send it again",
    Remedy.SEND_FIRST: "oh-tui conversations lists it, oh-tui send sends it the message",
    Remedy.OWN_WORDS: "it may lack the prompt for this task: give TEXT beside --task",
    Remedy.PAUSE_LEFT: "oh-tui pause {id} pauses it",
    Remedy.START_LATER: "try again in a minute",
    Remedy.LISTED_SOON: "oh-tui conversations lists it in a moment",
    Remedy.FIND_START: "oh-tui conversations lists it if it is there; else start it again",
    Remedy.FIND_START_LATER: "look with oh-tui conversations in a minute before you start it again",
}


def worded(hint: str, identifier: str) -> str:
    """A hint for a shell; `identifier` names the conversation that it is about, "" for unknown."""
    if isinstance(hint, Remedy):
        return WORDS[hint].replace("{id}", identifier or "ID")
    return hint
