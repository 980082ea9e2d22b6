"""Tags of a run as the user types them: `bug kind:flaky -old`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import islice

from oh_tui.conversation import ORIGIN, ORIGIN_EVENT
from oh_tui.text.clean import clean_line
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import safe_line

LONGEST_KEY, LONGEST_VALUE = 64, 256
"""Characters of a tag before and after its colon; the agent server takes values of 256 (source)."""

MOST = 50
"""Tags of one run."""

EXAMPLE = "such as bug kind:flaky; -bug removes it"

_TAG = pattern(
    r'(?P<no>-?)(?P<key>[^\s,:"]+)(?::(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s,"]*)))?(?=[\s,]|\Z)'
)
_GAP = pattern(r"[\s,]*")
_KEY = pattern(r"\w(?:[\w.-]*\w)?")
_SERVER_KEY = pattern(r"[a-z0-9]+")


def read_tags(text: str) -> dict[str, str | None]:
    """Key -> value: "" for a tag without one, None for a tag to remove. Words are separated by
    spaces or commas. Raises Problem, also for a text that no list of tags could show."""
    if len(text) > MOST * (LONGEST_KEY + LONGEST_VALUE):
        raise _too_long()
    if not text.isprintable():
        raise Problem("A tag holds a line break or a character that cannot be shown", EXAMPLE)
    changes: dict[str, str | None] = {}
    position = _end(text, 0)
    while position < len(text):
        match = _TAG.match(text, position)
        if match is None:
            raise Problem(f"{clean_line(text[position:])[:40]} is not a tag", EXAMPLE)
        key = clean_line(match["key"]).lower()
        value = clean_line(match["quoted"] or match["plain"] or "")
        if len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE:
            raise _too_long()
        if not is_key(key):
            raise Problem(
                f"{key[:40]} is not a tag: its key has letters, digits and . - _", EXAMPLE
            )
        changes[key] = None if match["no"] else value
        position = _end(text, match.end())
    return changes


def _end(text: str, position: int) -> int:
    gap = _GAP.match(text, position)
    return gap.end() if gap else position


def _too_long() -> Problem:
    return Problem(
        f"A tag has at most {LONGEST_KEY} characters before its colon and {LONGEST_VALUE} after it",
        "longer texts make a note",
    )


def is_key(key: str) -> bool:
    return len(key) <= LONGEST_KEY and _KEY.fullmatch(key) is not None and key == key.lower()


def fits_server(key: str) -> bool:
    """Whether an agent server takes the key (source, 1.17.0 to 1.58.2)."""
    return _SERVER_KEY.fullmatch(key) is not None


def applied(tags: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in {**tags, **changes}.items() if value is not None}


def tag_words(tags: Mapping[str, str]) -> list[str]:
    """Each tag as one types it, safe to show."""
    return [safe_line(word) for word in map(_word, tags.items())]


def _word(tag: tuple[str, str]) -> str:
    key, value = tag
    if not value:
        return key
    return f'{key}:"{value}"' if any(c in value for c in " ,") else f"{key}:{value}"


def complete(text: str, known: Iterable[str]) -> str | None:
    """The text with its last word, which may have a minus, completed to a known tag."""
    start = max(text.rfind(" "), text.rfind(",")) + 1
    word = text[start:]
    sign = "-" if word.startswith("-") else ""
    found = (one for one in known if one.startswith(word[len(sign) :].lower()))
    first = next(found, None) if word[len(sign) :] else None
    return text[:start] + sign + first if first else None


def of_people(tags: Mapping[str, str] | None, without: Collection[str] = ()) -> dict[str, str]:
    """The first tags that people have set on the server, except those in `without`."""
    found = (tag for tag in (tags or {}).items() if tag[0] not in MACHINE and tag[0] not in without)
    return dict(islice(found, MOST))


GROUP, ATTEMPT, VERIFY_BY = "group", "attempt", "verify"
"""Tags that oh-tui gives the attempts at one task: of which group, its number, and the command that
tells whether it has done its task."""

ATTEMPT_BASE, ATTEMPT_VERIFIED = "attemptbase", "attemptverified"
"""Those with what `actions.attempts` needs later: from where it started, how it was verified."""

MACHINE = frozenset(
    {
        "acpserver", "agentprofileid", "agentprofilerevision", "archiveworkspacepath",
        "automationid", "automationname", "automationrunid", "automationtrigger", "git_provider",
        "plugins", "repo_name", "selected_branch",
        ORIGIN, ORIGIN_EVENT, ATTEMPT_BASE, ATTEMPT_VERIFIED,
    }
)  # fmt: skip
"""Keys of tags that an app server (source, 1.11.0) and an automation server (measured, 1.26.0) set
for themselves, and those of a fork and of an attempt that say nothing to people."""
