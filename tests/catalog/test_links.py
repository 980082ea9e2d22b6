"""Addresses of conversations and pull requests, and repositories as people write them."""

from __future__ import annotations

import string
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oh_tui.catalog.links import (
    conversation_link,
    is_shared_link,
    pull_links,
    read_repository,
    read_shared_link,
    web_link,
)
from oh_tui.conversation import Conversation
from oh_tui.text.problem import Problem

ID = "5d6f1b0c2a7e4f3b9c8d7e6f5a4b3c2d"


def conversation(provider: str | None, repository: str | None, *numbers: int) -> Conversation:
    return Conversation(
        "1", git_provider=provider, selected_repository=repository, pr_number=numbers or None
    )


@pytest.mark.parametrize("base", ["https://app.all-hands.dev", "http://localhost:3000"])
def test_the_page_of_a_conversation_is_under_its_server(base: str) -> None:
    dashed = f"{ID[:8]}-{ID[8:12]}-{ID[12:16]}-{ID[16:20]}-{ID[20:]}".upper()
    for identifier in (ID, dashed):
        link = conversation_link(f"{base}/conversations", identifier)
        assert link
        assert link.url == f"{base}/conversations/{ID}"


@pytest.mark.parametrize("identifier", ["", "a/../b", "x y", "é", "a" * 65])
def test_an_id_that_is_none_makes_no_address(identifier: str) -> None:
    assert conversation_link("https://app.all-hands.dev", identifier) is None


@pytest.mark.parametrize(
    ("provider", "repository", "url"),
    [
        ("github", "acme/dates", "https://github.com/acme/dates/pull/7"),
        ("gitlab", "acme/web/site", "https://gitlab.com/acme/web/site/-/merge_requests/7"),
        ("bitbucket", "acme/dates", "https://bitbucket.org/acme/dates/pull-requests/7"),
        ("GITHUB", "acme/dätes", "https://github.com/acme/d%C3%A4tes/pull/7"),
    ],
)
def test_the_place_decides_how_a_pull_request_is_addressed(
    provider: str, repository: str, url: str
) -> None:
    (link,) = pull_links(conversation(provider, repository, 7))
    assert (link.url, link.guess) == (url, "")


def test_the_newest_pull_request_comes_first_and_each_once() -> None:
    links = pull_links(conversation("github", "acme/dates", 479, 482, 482, -1, 0))
    assert [link.url.rpartition("/")[2] for link in links] == ["482", "479"]


def test_what_is_assumed_is_said() -> None:
    (unknown,) = pull_links(conversation(None, "acme/dates", 7))
    (forgejo,) = pull_links(conversation("forgejo", "acme/dates", 7))
    assert "GitHub" in unknown.guess
    assert "Codeberg" in forgejo.guess


def test_no_address_is_made_up_where_the_host_cannot_be_known() -> None:
    assert pull_links(conversation("bitbucket_data_center", "acme/dates", 7)) == []
    assert pull_links(conversation("github", None, 7)) == []
    assert pull_links(conversation("github", "acme", 7)) == []
    assert pull_links(conversation("github", "acme/..", 7)) == []
    assert pull_links(conversation("github", "acme/dates")) == []
    assert pull_links(conversation("github", f"acme/{'x' * 500}", 7)) == []
    assert pull_links(conversation("github", "acme/ghp_abcdefghij0123456789", 7)) == [], "a secret"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "file:///etc/passwd", "https://", "https://me:pw@host/", "ftp://x/y",
        "https://host/a b", "https://host/\x1b[2J", "https://[::1", "", "https://host/'; rm -rf",
        "https://:pw@host/", "https://@host/", "data:text/html,x", f"https://host/{'x' * 2000}",
        "HTTPS://host\r\n/x", "//host/x", "https:host", "vscode://x/y",
    ],
)  # fmt: skip
def test_only_plain_http_addresses_are_links(url: str) -> None:
    assert web_link(url) is None


@given(st.text(max_size=40), st.text(max_size=40), st.integers())
def test_any_repository_makes_an_address_of_the_provider_or_none(
    repository: str, provider: str, number: int
) -> None:
    for name in ("github", "gitlab", provider):
        for link in pull_links(conversation(name, repository, number)):
            assert web_link(link.url)
            assert urlsplit(link.url).hostname in ("github.com", "gitlab.com", "bitbucket.org",
                                                   "codeberg.org")  # fmt: skip
            assert not urlsplit(link.url).query


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("acme/dates", ("acme/dates", "")),
        (" acme/dates/ ", ("acme/dates", "")),
        ("https://github.com/acme/dates", ("acme/dates", "github")),
        ("https://gitlab.com/acme/web/site.git", ("acme/web/site", "gitlab")),
        ("git@github.com:acme/dates.git", ("acme/dates", "github")),
        ("https://git.acme.example/acme/dates", ("acme/dates", "")),
        ("dates", ("", "")),
        ("acme dates", ("", "")),
        ("../dates", ("", "")),
        ("", ("", "")),
        ("acme/\x1b[31mdates", ("", "")),
    ],
)
def test_a_repository_is_read_as_people_write_it(typed: str, read: tuple[str, str]) -> None:
    assert read_repository(typed) == read


@given(st.text(alphabet=string.printable + "é\ud800\0", max_size=60))
def test_reading_a_repository_never_fails(typed: str) -> None:
    repository, _ = read_repository(typed)
    assert not repository or ("/" in repository and " " not in repository)


@pytest.mark.parametrize(
    ("text", "server"),
    [
        (f"https://app.all-hands.dev/shared/conversations/{ID}", "https://app.all-hands.dev"),
        (f"https://oh.test:8443/agents/shared/conversations/{ID}/", "https://oh.test:8443/agents"),
        (f" HTTPS://oh.test/shared/conversations/{ID}?from=mail#step-3 ", "https://oh.test"),
        (f"https://oh.test/shared/conversations/{ID[:8]}-{ID[8:]}", "https://oh.test"),
    ],
)
def test_the_link_of_a_shared_conversation_names_server_and_id(text: str, server: str) -> None:
    assert is_shared_link(text)
    assert read_shared_link(text) == (server, ID)


@pytest.mark.parametrize(
    "text",
    [
        f"http://oh.test/shared/conversations/{ID}",
        f"https://me:key@oh.test/shared/conversations/{ID}",
        f"https://oh.test:port/shared/conversations/{ID}",
        f"https:///shared/conversations/{ID}",
        f"https://oh.test'/shared/conversations/{ID}",
        f"https://oh.test/shared/conversations/{ID[:-1]}",
        f"https://oh.test/shared/conversations/{ID}0",
        "https://oh.test/shared/conversations/",
        "https://oh.test/shared/conversations/../../api/v1/users/me",
        f"https://oh.test/shared/conversations/{ID}/more",
        f"https://oh.test/shared/conversations/{ID}//more/",
    ],
)
def test_a_link_that_leads_nowhere_is_refused(text: str) -> None:
    assert is_shared_link(text)
    with pytest.raises(Problem):
        read_shared_link(text)


def test_what_is_behind_the_id_is_said_to_be_too_much() -> None:
    with pytest.raises(Problem, match="goes on behind the id"):
        read_shared_link(f"https://oh.test/shared/conversations/{ID}/more")


@pytest.mark.parametrize(
    "text",
    [
        f"https://oh.test/conversations/{ID}",
        f"/shared/conversations/{ID}",
        f"file:///shared/conversations/{ID}",
        "https://[oh.test/shared/conversations/1",
        "",
    ],
)
def test_other_addresses_are_no_shared_links(text: str) -> None:
    assert not is_shared_link(text)
