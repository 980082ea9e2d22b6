"""Every way a call to an OpenHands server can fail.

Problem
└── Refused
    └── ApiError
        ├── AuthError        401, 403: no key, a wrong key, or no right to it
        ├── NotFound         404, 410: no such thing, or it is gone
        ├── Conflict         409: it cannot be done in the present state
        ├── RateLimited      429: too many calls, after all retries
        ├── TooLarge         413: more than the server is willing to send
        ├── InvalidRequest   400, 405, 422: the server does not take this request
        ├── ServerError      5xx: the server failed
        ├── Unreachable      no connection: name, port, certificate, broken off
        ├── TimedOut         connected, but no answer in time
        ├── NotTheApi        an answer that is no JSON: a web page, a proxy, another program
        └── BadAnswer        JSON, but not of the documented shape
"""

from __future__ import annotations

from oh_tui.text.problem import Refused


class ApiError(Refused):
    """A call failed. `status` is the HTTP status (None when there was no answer), `address` the
    method and URL that were asked, without a query and without a key.

    `detail` is the server's own explanation, cleaned and redacted ("" when it gave none).
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


class Conflict(ApiError):
    """409."""


class RateLimited(ApiError):
    """429 after the last retry."""


class TooLarge(ApiError):
    """413: a download above the server's limit of events, or a request body above its limit; or
    an answer of more than 64 MiB, which is not read on."""


class InvalidRequest(ApiError):
    """400, 405, 422 and the other 4xx; or words and ids that no URL can hold, not sent at all."""


class ServerError(ApiError):
    """5xx after the last retry."""


class Unreachable(ApiError):
    """No connection, or one that broke off."""


class TimedOut(ApiError):
    """The server did not answer in time."""


class NotTheApi(ApiError):
    """A 200 whose body is no JSON (the frontend answers any unknown path with its own page), or
    a redirect that is not followed."""


class BadAnswer(ApiError):
    """JSON that is not what the call documents."""
