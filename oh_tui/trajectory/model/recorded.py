"""What a source says of a run beside its events."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from oh_tui.text.patterns import pattern


class Label(StrEnum):
    """What an evaluation says of the result of a run, whatever the agent said."""

    UNRESOLVED = "unresolved"
    ERROR = "error"
    NONE = "unlabelled"
    """It labels other runs of the same file."""
    RESOLVED = "resolved"

    @property
    def words(self) -> str:
        """The label beside what the agent said, where `error` alone would read as the agent's."""
        return "evaluation error" if self is Label.ERROR else self.value


_SAID = {"true": True, "1": True, "false": False, "0": False}
"""Labels that are written as texts."""


def read_label(resolved: object) -> Label | None:
    """The label in a field of the name `resolved`: true or false, also as 1 or 0 and as a text.
    Anything else is no evidence, and None."""
    if isinstance(resolved, str):
        resolved = _SAID.get(resolved.strip().lower())
    if resolved in (True, False):  # also 1 and 0
        return Label.RESOLVED if resolved else Label.UNRESOLVED
    return None


UNKNOWN_AGENT = "unknown"

_OF_EVALUATION = pattern(
    r"(?i)\A(?:verifier|reward)\w*(?:error|exception)|EvalException|\bevaluat(?:ion|or)\b|\bswebench\b"
    r"|\brun_infer\b|\beval_infer\b|\bgrad(?:er|ing)\b"
)
"""What errors of an evaluation name."""


class Recorded(msgspec.Struct, frozen=True):
    """Read for runs whose events do not tell how they ended."""

    error: str = ""
    """Why the run failed, in the words of the source; "" for no failure."""
    by_evaluation: bool = False
    """The error is reported by the evaluation that the run is part of, and may be its own."""
    max_iterations: int = 0
    """The answers of the model after which the run was to be stopped; 0 when unknown."""
    label: Label | None = None
    """What an evaluation says; None without one."""
    patch: str = ""
    """What the run handed in: a change as git prints it, or an answer."""
    agent: str = "openhands"
    """The program that it is a run of."""
    format: str = ""
    """The format that its events were converted from, such as "v0"; "" for events of the SDK."""

    @property
    def names_evaluation(self) -> bool:
        """Whether the error names the evaluation, which is then what failed, not the run."""
        return self.by_evaluation and bool(_OF_EVALUATION.search(self.error[:2000]))


NOTHING_RECORDED = Recorded()
