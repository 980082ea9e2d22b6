"""Problem: a failure in one sentence for people; Remedy: what helps, and its words in a shell."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path


class Remedy(StrEnum):
    """What helps, in words for scripts; the explorer and the shell (`WORDS`) have their own."""

    MAYBE_DONE = "It may be done already: look before you try again"
    REFRESH = "read it again"
    LIST = "look at the list of conversations"
    WAIT = "try again in a moment"
    WAIT_FOR_IT = "it may still happen: read the sandbox again"
    RESUME = "resume the sandbox"
    THAW = "its sandbox may be frozen: try again, or pause and resume it"
    STEP_OVER = "try again: before 1.12 an agent server sends no events until a step ends"
    DOWNLOAD = "download the trajectory"
    DOWNLOAD_AGAIN = "download it again"
    OTHER_FOLDER = "save it in another folder"
    NAME_FILE = "name a local file"

    LOOK = "look at what waits now, and answer again"
    LOOK_FIRST = "look at the run first"
    LOOK_WHAT_IT_DID = "look at what it did, and stop an agent that works"
    ANSWER_FIRST = "answer it, or let the agent go on, first"
    ANSWER_LATER = "it is not ready for an answer: check its state, and try again in a moment"
    STOP = "stop the agent"
    STOP_FIRST = "stop the agent first"
    STOP_AGAIN = "stop it again"
    STOP_RUN_AGAIN = "stop the run again"
    CONTINUE = "look at the run, where it may go on; then let the agent go on"
    CONTINUE_AGAIN = "let it go on once more"
    CONTINUE_LATER = "it is still ending its step: try again in a moment"
    SEND_AGAIN = "send the message again"
    MAY_ARRIVE = "the message may still arrive: look before you send it again"
    SEND_FIRST = "send it the message, or switch its profile first"
    OWN_WORDS = "it may lack the prompt for this task: start it in your own words"
    PAUSE_LEFT = "pause that sandbox, which nothing uses"
    START_LATER = "try again in a minute"
    LISTED_SOON = "read the list in a moment"
    FIND_START = "look at the list: it may be there; else start it again"
    FIND_START_LATER = "look at the list in a minute before you start it again"


class Problem(Exception):
    """A failure that a person can act on; the only error that the screen and the commands catch.

    `sentence` says what failed and why, without a full stop and without secrets. `hint` says what
    to try next, or "": a text without keys and commands, or a Remedy. `about` names what a Remedy
    is about where the user has not named it. Texts of servers and files have to pass
    `oh_tui.text.redact.safe_line` first.
    """

    about = ""

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint


def why(error: Exception) -> str:
    """Why something of many could not be read, in words of ours. Of a failure that nobody foresaw
    the type alone: its text may hold what was read."""
    if isinstance(error, Problem):
        return error.sentence
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"That it cannot be read is a bug in oh-tui: {type(error).__name__}"


def bug_words(error: BaseException) -> str:
    """That oh-tui failed, and where; the text of the error may hold foreign text or a key."""
    return f"This is a bug in oh-tui: {_kind_and_line(error)}"


def _kind_and_line(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" in {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return type(error).__name__ + where


class Refused(Problem):
    """The server or the network refused or failed; the request itself was valid."""


class OutOfReach(Refused):
    """The agent has no sandbox that runs. Nothing failed, and nothing was asked of it."""


NO_THREADS = "the system starts no more threads or processes"
NO_THREADS_HINT = "end other programs, or raise the limit: ulimit -u"


def is_of_threads(error: BaseException) -> bool:
    """Whether an error, or one that it followed, is that no thread could be started."""
    seen, one = set[int](), error
    while id(one) not in seen:
        if isinstance(one, RuntimeError) and "start new thread" in str(one):
            return True
        seen.add(id(one))
        one = one.__cause__ or one.__context__ or one
    return False


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
    Remedy.STOP_RUN_AGAIN: "try again",
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
