"""What controllers say has changed, and what they want of the screen.

Data goes down, commands go up: a controller changes the session and posts one of these; the main
screen acts on it and gives the panes what they draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from oh_tui.api.models import Conversation
    from oh_tui.settings.startup import Settings
    from oh_tui.sources.source import Source
    from oh_tui.tui.runs import Run

# What has changed


class ListsChanged(Message):
    """The session holds other conversations or sandboxes, in another order or state: the sidebar,
    the totals and the keys are drawn anew; with `sort` every sandbox goes to its place."""

    def __init__(self, *, sort: bool = False) -> None:
        super().__init__()
        self.sort = sort


class MarksChanged(Message):
    """Other conversations are marked."""


class SourceChanged(Message):
    """The session has another source, or none until one is open."""


class FindChanged(Message):
    """The session looks for another text, or for none any more, or knows of other hits: they are
    marked and counted anew."""


class FilterChanged(Message):
    """The filter of the session is another one, is off, or lets other steps through. With `follow`
    the cursor then goes to the last of them."""

    def __init__(self, *, follow: bool = False) -> None:
        super().__init__()
        self.follow = follow


class WrapChanged(Message):
    """Long lines of call and result wrap now, or are cut."""


class LayoutChanged(Message):
    """The session gives the panes other places."""


class KeysChanged(Message):
    """Keys would do something else now: the footer names them anew."""


class ConversationChanged(Message):
    """The conversation at the right has another record, or is `another` one, of whose run nothing
    is there yet."""

    def __init__(self, *, another: bool = False) -> None:
        super().__init__()
        self.another = another


class RunEmpty(Message):
    """There is no step to show; these lines say why in their place."""

    def __init__(self, *lines: str) -> None:
        super().__init__()
        self.lines = lines


class RunLoaded(Message):
    """More of the run at the right was read, or its steps have other numbers. The cursor goes to
    the step at index `step`, or stays with its event."""

    def __init__(self, run: Run, step: int | None) -> None:
        super().__init__()
        self.run = run
        self.step = step


class RunGrew(Message):
    """New events came at the end of the run at the right. `changed` are earlier steps that got a
    result; when it `settled`, a call without a result may mean something else."""

    def __init__(self, changed: list[int], *, settled: bool) -> None:
        super().__init__()
        self.changed = changed
        self.settled = settled


class RunStudied(Message):
    """The analysis of the run at the right is there, or took in what came as the run `grew`."""

    def __init__(self, *, grew: bool) -> None:
        super().__init__()
        self.grew = grew


class RunRead(Message):
    """A reading of the run at the right has ended."""

    def __init__(self, *, cut_off: bool) -> None:
        super().__init__()
        self.cut_off = cut_off


class ProgressChanged(Message):
    """The session says otherwise what of the run is being read."""


class FollowingChanged(Message):
    """The run at the right is followed now, or not any more."""


class AgentChanged(Message):
    """An agent was told something: the lists are read again, and its run if it is open."""

    def __init__(self, conversation_id: str) -> None:
        super().__init__()
        self.conversation_id = conversation_id


# What is wanted


class ListsWanted(Message):
    """The lists are to be read again, and put in a new order if `sort`."""

    def __init__(self, *, sort: bool = False) -> None:
        super().__init__()
        self.sort = sort


class ListEmpty(Message):
    """There is nothing to list; these lines say why in its place, and `run` in that of a run."""

    def __init__(self, *lines: str, run: str = "") -> None:
        super().__init__()
        self.lines = lines
        self.run = run


class SourceWanted(Message):
    """Another source is to be opened; with `settings` it is that of another server, and nothing of
    the one before stays on the screen."""

    def __init__(self, make_source: Callable[[], Source], settings: Settings | None = None) -> None:
        super().__init__()
        self.make_source = make_source
        self.settings = settings


class QuitWanted(Message):
    """The explorer is to end; what had to be asked was asked."""


class RunWanted(Message):
    """The run of a conversation is to be shown; `select` also brings the list's cursor to it, `go`
    the focus too. A `preview` is read only when that is cheap, and does not count as opened."""

    def __init__(
        self,
        conversation: Conversation,
        *,
        select: bool = False,
        go: bool = False,
        preview: bool = False,
    ) -> None:
        super().__init__()
        self.conversation = conversation
        self.select = select or go
        self.go = go
        self.preview = preview


class StepWanted(Message):
    """The cursor of the timeline is to go to a step; a filter that hides it is taken off."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
