"""Web addresses: the page of a conversation, and the pages of its pull requests."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import msgspec

from oh_tui.conversation import Conversation, bare_id
from oh_tui.text.patterns import pattern
from oh_tui.text.problem import Problem
from oh_tui.text.redact import masked, safe_line


class Link(msgspec.Struct, frozen=True):
    """The address of a page. `guess` names the assumption it relies on; "" without one."""

    url: str
    guess: str = ""


_PULLS = {
    "github": "https://github.com/{repo}/pull/{number}",
    "gitlab": "https://gitlab.com/{repo}/-/merge_requests/{number}",
    "bitbucket": "https://bitbucket.org/{repo}/pull-requests/{number}",
    "forgejo": "https://codeberg.org/{repo}/pulls/{number}",
}
"""Provider -> the address of a pull request."""

_GUESSED = {
    "forgejo": "a Forgejo may be anywhere; this is Codeberg",
    "": "the server does not say where the repository is; this is GitHub",
}

_HOSTS = {"github.com": "github", "gitlab.com": "gitlab", "bitbucket.org": "bitbucket"}

LONGEST = 2_000
"""Characters of an address."""

_REPOSITORY = pattern(r"[^\s/\\?#%:@]+(?:/[^\s/\\?#%:@]+)+")
"""`owner/name`, on GitLab with groups in between."""


def conversation_link(pages: str, conversation_id: str) -> Link | None:
    """The page of a conversation below the address of all `pages`; None for an invalid id."""
    bare = bare_id(conversation_id)
    if not re.fullmatch(r"[0-9a-z]{1,64}", bare):
        return None
    return web_link(f"{pages}/{bare}")


SHARED = "/shared/conversations"
"""The path below which a server has the pages of shared conversations."""


class SharedLink(NamedTuple):
    server: str
    """The address of the server, without a slash at its end."""
    id: str
    """Without dashes."""


def is_shared_link(text: str) -> bool:
    is_web = text.strip().lower().startswith(("https://", "http://"))
    return is_web and bool(_shared_path(text))


def read_shared_link(text: str) -> SharedLink:
    """The parts of an address that `is_shared_link`; its query and fragment are left out. Raises
    Problem for one that cannot be opened."""
    found = _shared_path(text)
    assert found is not None
    try:
        parts = urlsplit(text.strip())
        server = f"{parts.scheme}://{parts.netloc}{found[1]}"
        is_usable = bool(parts.hostname) and "@" not in parts.netloc and (parts.port or 1) > 0
    except ValueError:
        is_usable, server = False, ""
    shown = safe_line(text)[:80]
    if not is_usable or web_link(server) is None:
        raise Problem(f"“{shown}” cannot be opened", "copy the link again")
    if not server.startswith("https://"):
        raise Problem(f"“{shown}” is not https", "shared conversations are read over https alone")
    identifier, _, more = found[2].partition("/")
    if more.strip("/"):
        raise Problem(f"“{shown}” goes on behind the id", "end the address with the id")
    bare = bare_id(identifier)
    if not re.fullmatch(r"[0-9a-f]{32}", bare):
        raise Problem(f"“{shown}” holds no whole id of a conversation", "copy the link again")
    return SharedLink(server, bare)


def _shared_path(text: str) -> re.Match[str] | None:
    """What stands before the path of shared pages, and what behind."""
    try:
        path = urlsplit(text.strip()).path
    except ValueError:
        return None
    return _SHARED_PATH.fullmatch(path)


_SHARED_PATH = pattern(rf"((?:/[^/]+)*){SHARED}/(.*)")


def pull_links(conversation: Conversation) -> list[Link]:
    """The pages of its pull requests, highest number first, if the repository is known."""
    numbers = sorted({n for n in conversation.pr_number or () if n > 0}, reverse=True)
    repository = (conversation.selected_repository or "").strip("/")
    provider = (conversation.git_provider or "").lower()
    form = _PULLS.get(provider or "github")
    if form is None or not is_repository(repository):
        return []
    repo = "/".join(quote(part, safe="") for part in repository.split("/"))
    guess = _GUESSED.get(provider, "")
    return [Link(form.format(repo=repo, number=number), guess) for number in numbers]


def web_link(url: str) -> Link | None:
    """A link for an http or https address without ambiguous characters; None for any other."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    plain = url.isascii() and url.isprintable() and not re.search(r"[\s\"'<>`\\]", url)
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc:
        return None
    if not plain or len(url) > LONGEST:
        return None
    return Link(url)


def is_repository(text: str) -> bool:
    """Whether the text is a repository as servers write it, and no secret."""
    if len(text) > LONGEST // 4 or not text.isprintable() or masked(text) != text:
        return False
    return bool(_REPOSITORY.fullmatch(text)) and not {".", ".."} & set(text.split("/"))


def read_repository(text: str) -> tuple[str, str]:
    """Repository and provider, read from `owner/name` or the address of a page or clone. The
    provider is "" if the text does not say; both are "" if it names no repository."""
    text = text.strip()
    provider = ""
    if match := re.fullmatch(r"(?:\w+://)?(?:git@)?([\w.-]+\.[a-z]{2,})[:/](.+)", text):
        provider, text = _HOSTS.get(match[1].removeprefix("www."), ""), match[2]
    text = text.strip("/").removesuffix(".git")
    return (text, provider) if is_repository(text) else ("", "")
