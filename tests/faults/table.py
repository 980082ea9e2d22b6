"""Every fault of a call that reads a list, with its message: one line and one next step."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults import faults
from tests.faults.wire import Fault

HOST = "HOST"
"""Stands for host and port of the server in what is said."""

AGAIN = "Try again"
READY = "The service behind it may be asleep or starting: try again in a moment"
VERSION = "Its version may differ"
OTHER = "The server's version may differ from what this program knows"
WANTED = "Expected is the server's own address, such as https://app.all-hands.dev"
WRONG = f"The address is wrong or the server too old. {WANTED}"
PAGE = f"{WRONG.partition('. ')[0]}; or a gateway before it wants a sign-in. {WANTED}"
GATEWAY = "Its `headers` in the settings file pass a gateway: docs/servers.md, Behind a gateway"
KEY = "Check that the key is for this server"
DAMAGED = "Something between here and the server damages it: try again"


@dataclass(frozen=True)
class Case:
    name: str
    fault: Fault
    told: str
    """What comes after "Could not list conversations: "; "" for a fault that does no harm."""
    hint: str = ""


CASES = (
    # The network
    Case("reset", faults.reset, "the connection to HOST broke off", AGAIN),
    Case("reset midway", faults.reset_midway, "the connection to HOST broke off", AGAIN),
    Case("half of it", faults.short_of_its_length, "the connection to HOST broke off", AGAIN),
    Case("no http", faults.other_protocol, "the connection to HOST broke off", AGAIN),
    Case("slow first byte", faults.late(0.05), ""),
    Case("slow, but steady", faults.slow(), ""),
    # What a server says
    Case("401", faults.detail(401, "Unauthorized"), "HOST does not accept this key (401)", KEY),
    Case(
        "403",
        faults.detail(403, "Forbidden"),
        "HOST does not allow this with this key (403)",
        "Use a key that has the right",
    ),
    Case("404", faults.detail(404, "Not Found"), "HOST knows no such thing (404)", WRONG),
    Case(
        "405",
        faults.detail(405, "Method Not Allowed"),
        "HOST said: Method Not Allowed (405)",
        VERSION,
    ),
    Case(
        "409",
        faults.detail(409, "It is being migrated."),
        "HOST said: It is being migrated (409)",
        "Check its state, and try again",
    ),
    Case("410", faults.detail(410, "Gone for good"), "HOST said: Gone for good (410)", WRONG),
    Case("413", faults.says(413), "HOST finds it too large (413)"),
    Case(
        "422",
        faults.says(422, '{"detail": [{"loc": ["query", "limit"], "msg": "too large"}]}'),
        "HOST said: limit: too large (422)",
        VERSION,
    ),
    Case(
        "429",
        faults.says(429, '{"message": "Too many requests"}'),
        "HOST said: Too many requests (429)",
        "Wait a minute, then try again",
    ),
    Case(
        "429 for an hour",
        faults.says(429, '{"message": "Too many requests"}', Retry_After="3600"),
        "HOST said: Too many requests (429)",
        "Try again in 3600 s",
    ),
    Case(
        "500 in plain text",
        faults.says(500, "Internal Server Error", "text/plain"),
        "HOST failed (500)",
        "Try again; if it stays so, look into the server's log",
    ),
    Case(
        "502 of a proxy",
        faults.says(502, faults.PAGE, "text/html"),
        "HOST is not ready (502)",
        READY,
    ),
    Case("503", faults.says(503), "HOST is not ready (503)", READY),
    Case(
        "504",
        faults.says(504, "upstream timed out", "text/plain"),
        "HOST said: upstream timed out (504)",
        READY,
    ),
    Case("status 299", faults.says(299, '{"items": [], "next_page_id": null}'), ""),
    Case(
        "status 600",
        faults.says(600),
        "HOST failed (600)",
        "Try again; if it stays so, look into the server's log",
    ),
    Case(
        "another address",
        faults.to("http://127.0.0.1:1/login?next=x"),
        "HOST sent us to http://127.0.0.1:1 (302)",
        f"If that is the right server, use its address. {WANTED}",
    ),
    Case(
        "nowhere",
        faults.to("javascript:alert(1)", 307),
        "HOST sent us to nowhere usable (307)",
        f"If that is the right server, use its address. {WANTED}",
    ),
    Case(
        "a sign-in elsewhere",
        faults.to("https://login.example/cdn-cgi/access/login/x?kid=1"),
        "a gateway before HOST wants a sign-in at login.example (302)",
        GATEWAY,
    ),
    Case(
        "a page with a 403",
        faults.says(403, faults.PAGE, "text/html"),
        "a gateway before HOST wants a sign-in (403)",
        GATEWAY,
    ),
    Case(
        "a page that asks for a password",
        faults.says(200, '<form><input name="p" type="password"></form>', "text/html"),
        "a gateway before HOST wants a sign-in (200)",
        GATEWAY,
    ),
    # Bodies that are none
    Case("nothing", faults.says(200), "HOST answered with nothing at AT", WRONG),
    Case("half of the JSON", faults.cut_json, "HOST answered with no JSON at AT", WRONG),
    Case(
        "a web page",
        faults.says(200, faults.PAGE, "text/html"),
        "HOST answered with a web page at AT",
        PAGE,
    ),
    Case(
        "a web page that says it is JSON",
        faults.says(200, faults.PAGE),
        "HOST answered with a web page at AT",
        PAGE,
    ),
    Case(
        "words",
        faults.says(200, "it works", "text/plain"),
        "HOST answered with no JSON at AT",
        WRONG,
    ),
    Case("JSON that says it is text", faults.says(200, '{"items": []}', "text/plain"), ""),
    Case(
        "another shape",
        faults.says(200, '{"a": 1}'),
        "the answer of HOST is no page of items",
        OTHER,
    ),
    Case("a list", faults.says(200, "[]"), "the answer of HOST is no page of items", OTHER),
    Case("null", faults.says(200, "null"), "the answer of HOST is no page of items", OTHER),
    Case(
        "items that are none",
        faults.says(200, '{"items": 5}'),
        "the answer of HOST is no page of items",
        OTHER,
    ),
    Case("no gzip", faults.packed(b"no gzip"), "the answer of HOST cannot be unpacked", DAMAGED),
    Case(
        "half of a gzip",
        faults.packed(faults.gzipped(b'{"items": []}' + b" " * 4000)[:-9]),
        "the answer of HOST cannot be unpacked",
        DAMAGED,
    ),
    Case(
        "gzip in gzip",
        faults.packed(faults.gzipped(faults.gzipped(b"[]")), "gzip, gzip"),
        "the answer of HOST cannot be unpacked",
        DAMAGED,
    ),
    Case(
        "another packing",
        faults.packed(b"\x0b\x02\x80", "br"),
        "the answer of HOST cannot be unpacked",
        DAMAGED,
    ),
)

SILENT = (
    Case(
        "silence",
        faults.silent,
        "HOST did not answer in time",
        "It may be busy, or frozen: try again, or refresh",
    ),
    Case(
        "silence midway",
        faults.silent_midway,
        "HOST did not answer in time",
        "It may be busy, or frozen: try again, or refresh",
    ),
    Case(
        "a drip",
        faults.drips,
        "HOST did not answer in time",
        "It may be busy, or frozen: try again, or refresh",
    ),
    Case(
        "a head that drips",
        faults.drips_its_head,
        "HOST did not answer in time",
        "It may be busy, or frozen: try again, or refresh",
    ),
)
