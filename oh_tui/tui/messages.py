"""Messages from controllers to the screen: what has changed, and what it should do.

Data goes down, commands go up: a controller changes the session and posts a message; the main
screen acts on it and gives the panes the data to draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, dataclass_transform

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from oh_tui.conversation import Conversation
    from oh_tui.settings.startup import Settings
    from oh_tui.sources.source import Source
    from oh_tui.tui.state.loaded_runs import Run


@dataclass_transform()
class WithFacts(Message):
    """Takes what a subclass annotates, as a dataclass does, which takes longer to import."""

    def __init__(self, *values: object, **facts: object) -> None:
        super().__init__()
        vars(self).update(zip(type(self).__annotations__, values, strict=False), **facts)


# What has changed


class ListsChanged(WithFacts):
    """The session's conversations or sandboxes changed, or their order or state: redraw the
    sidebar, the totals and the keys; with `sort`, move every sandbox to the place of its state.
    `at` is the id of the conversation under the cursor; the first one takes it where that is not
    listed."""

    sort: bool = False
    at: str | None = None


class AutomationsChanged(Message):
    """The automations or their runs changed, or the explorer learnt why there are none."""


class MarksChanged(Message):
    """The marked conversations changed."""


class AnnotationsChanged(Message):
    """Bookmarks, notes or tags of a run changed."""


class SourceChanged(Message):
    """The session has a new source, or none until one is open."""


class KeyWanted(WithFacts):
    """Canvas was looked for in vain, and there is no key of Cloud. `beside` says why a key that is
    there is not used, or is ""."""

    beside: str


class FindChanged(Message):
    """The text to find or its known hits changed: highlight and count them again."""


class FilterChanged(WithFacts):
    """The session's filter changed, was removed, or matches other steps. With `follow` the cursor
    then goes to the last match."""

    follow: bool = False


class WrapChanged(Message):
    """Wrapping of long lines in call and result was switched."""


class LayoutChanged(Message):
    """The session's layout changed."""


class ColumnsChanged(Message):
    """The user chose other columns of the list or the timeline."""


class ConversationChanged(WithFacts):
    """The conversation at the right has a new record, or is `another`, whose run is not loaded."""

    another: bool = False


class RunEmpty(Message):
    """There is no step to show; the lines explain why, in place of the steps."""

    def __init__(self, *lines: str) -> None:
        super().__init__()
        self.lines = lines


class RunLoaded(WithFacts):
    """More of the run at the right was read, or its steps were renumbered. The cursor goes to the
    step at index `step`, or stays with its event."""

    run: Run
    step: int | None


class RunGrew(WithFacts):
    """New events arrived at the end of the run at the right. `changed` are earlier steps that got a
    result; if it `settled`, the status of calls without a result may have changed."""

    changed: list[int]
    settled: bool


class RunStudied(WithFacts):
    """The analysis of the run at the right is ready, or was updated because the run `grew`."""

    grew: bool


class RunRead(WithFacts):
    """A reading of the run at the right has ended."""

    cut_off: bool


class PhasesTold(Message):
    """The phases of the run at the right are known, or others than before."""


class RulesFound(Message):
    """It is known which rules the run at the right breaks."""


class ProgressChanged(Message):
    """The session's progress of reading the run changed."""


class ReplayChanged(Message):
    """More is known of the run that runs again, or it is over."""


class FollowingChanged(Message):
    """Following of the run at the right began or ended."""


class AgentChanged(WithFacts):
    """An agent was sent something: refresh the lists, and its run if it is open."""

    conversation_id: str


# What is wanted


class ListsWanted(Message):
    """Refresh the lists."""


class AutomationsWanted(WithFacts):
    """Read the automations; `anew` also all their runs that are on the screen."""

    anew: bool = False


class PagesWanted(Message):
    """Read the other pages of the list: its order needs all conversations."""


class ListEmpty(Message):
    """The lines say why there is nothing to list, and `run` why there is no run."""

    def __init__(self, *lines: str, run: str = "") -> None:
        super().__init__()
        self.lines = lines
        self.run = run


class SourceWanted(WithFacts):
    """Open another source; with `settings` that of another server, and leave the one before."""

    make_source: Callable[[], Source]
    settings: Settings | None = None


class QuitWanted(Message):
    """Quit; all questions have been answered."""


class RunWanted(WithFacts):
    """Show the run of a conversation; `select` also moves the list's cursor to it, `go` the focus
    too. A `preview` is read only when that is cheap, and does not count as opened."""

    conversation: Conversation
    select: bool = False
    go: bool = False
    preview: bool = False


class StepWanted(WithFacts):
    """Move the timeline's cursor to a step; remove a filter that hides it. After a jump alt+left
    leads back."""

    number: int
    is_jump: bool = True
