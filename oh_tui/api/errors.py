"""The errors of calls to OpenHands servers. All can be imported from here and from `oh_tui.api`.

Problem                      every failure that a person can act on
└── Refused                  the server or the network refused or failed
    └── ApiError             a call failed
        ├── AuthError        401, 403: no key, a wrong key, or no permission
        ├── NotFound         404, 410: it does not exist, or no longer
        │   └── OtherKind    the server is of another kind
        ├── Conflict         409: impossible in the current state
        ├── RateLimited      429: too many calls, after all retries
        ├── TooLarge         413: larger than the server or we accept
        ├── InvalidRequest   400, 405, 422: the server does not accept this request
        ├── ServerError      5xx: the server failed
        ├── Unreachable      no connection, or one that broke off
        ├── TimedOut         connected, but no answer in time
        ├── NotTheApi        no JSON: the page of a frontend, a proxy or another program
        │   └── SignInWanted  a gateway before the server wants a sign-in
        └── BadAnswer        JSON that does not have the documented shape
"""

from __future__ import annotations

from oh_tui.text.problem import Problem as Problem
from oh_tui.text.problem import Refused as Refused


class ApiError(Refused):
    """A call failed.

    `status` is the HTTP status, None without an answer. `address` is the method and URL of the
    call, without query and key. `detail` is the server's explanation, cleaned and redacted, or "".
    """

    def __init__(
        self,
        sentence: str,
        hint: str = "",
        *,
        status: int | None = None,
        address: str = "",
        detail: str = "",
    ) -> None:
        super().__init__(sentence, hint)
        self.status = status
        self.address = address
        self.detail = detail


class AuthError(ApiError):
    """401 or 403."""


class NotFound(ApiError):
    """404 or 410."""


class OtherKind(NotFound):
    """The server that was asked as an app server is an agent server."""


class Conflict(ApiError):
    """409."""


class RateLimited(ApiError):
    """429 after the last retry."""


class TooLarge(ApiError):
    """413: a download above the server's limit of events, or a request body above its limit. Also
    an answer of more than 64 MiB, which is not read to its end."""


class InvalidRequest(ApiError):
    """400, 405, 422 and the other 4xx. Also text and ids that no URL can hold, which are never
    sent."""


class ServerError(ApiError):
    """5xx after the last retry."""


class Unreachable(ApiError):
    """No connection, or one that broke off."""


class TimedOut(ApiError):
    """The server did not answer in time."""


class NotTheApi(ApiError):
    """A 200 without JSON, as frontends answer unknown paths with their page; or a redirect that is
    not followed."""


class SignInWanted(NotTheApi):
    """A gateway before the server wants a sign-in: a redirect to another host, a page with a 401 or
    403, or one that asks for a password."""


class BadAnswer(ApiError):
    """JSON that does not have the documented shape."""
