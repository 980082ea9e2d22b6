"""Problem and Refused: what went wrong, in one sentence for people, and what to do about it."""


class Problem(Exception):
    """A failure that a person can act on; the only kind of error the screen and the commands catch.

    `sentence` says what failed and why, without a trailing full stop and without secrets; `hint`
    says what to try next ("" when there is nothing to try). Both are plain text of ours: foreign
    text that goes in must have passed `oh_tui.text.clean_line` and `redact`.
    """

    def __init__(self, sentence: str, hint: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint


class Refused(Problem):
    """The server or the network said no, or did not do what it was asked: no wrong use of ours."""
