"""The servers of a soak: the demo on a loopback port, with busy runs one after the other that make
fifty events a second, one run that grows all the time, and bad weather: errors, resets, slow and
broken responses.

Prints its port, one of the same servers in good weather, and the ids of those runs.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import socket
import sys
import time
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from oh_tui.demo import Demo
from oh_tui.demo.catalog import Entry
from oh_tui.demo.runs.run import Run
from oh_tui.demo.runs.tool_calls import edit, shell, view
from oh_tui.demo.state import Conversation, Sandbox

LASTS = 15.0
"""Duration of each busy run in seconds."""

BOX, LONG_BOX = "soak", "soak-long"

TURN = 0.042
"""Duration of an agent's turn in seconds; it makes three events: more than fifty a second."""

LONG_TURN = 0.3
"""The same for the run that grows all the time: ten events a second."""

SEEDS = 400
"""Lines of the file that is edited now and then."""

STORM = (20.0, 5.0)
"""Interval and duration of bad weather in seconds."""


@dataclass(frozen=True, slots=True)
class Busy(Entry):
    """A run with a quick agent; times in seconds."""

    lasts: float = LASTS
    turn: float = TURN

    def write(self, run: Run) -> None:
        run.root = "/workspace/soak"
        run.files = {"notes.md": "".join(f"seed {n} not tried\n" for n in range(1, SEEDS))}
        run.user("Try one seed after the other; write down what each gives.")
        number = 0
        while run.elapsed < self.lasts:
            number += 1
            crash = number % 23 == 11
            out = f"seed {number}: 20000 inputs, {'1 crash' if crash else 'no crash'}\n" * 8
            calls = [
                shell(
                    run, f"./fuzz --seed {number}", out, code=77 if crash else 0, ran=self.turn / 2
                )
            ]
            if number % 7 == 3:
                calls = [view(run, "notes.md", (1, 30))]
            if number % 31 == 7 and number < SEEDS:
                line = f"seed {number} "
                calls = [edit(run, "notes.md", line + "not tried", line + "tried")]
            run.do("", *calls, llm=self.turn / 2)
        run.finish(f"{number} seeds were tried.", llm=0.1)


def make_runs(demo: Demo, runs: int, seconds: float) -> tuple[list[str], str]:
    """The ids of busy runs that follow each other in one sandbox, and of one in another sandbox
    that takes `seconds`."""
    made = []
    for number in range(runs):
        entry = Busy(f"soak-{number}", f"Soak {number}", 0, sandbox=BOX, live=True,
                     delay=number * LASTS)  # fmt: skip
        made.append(_added(demo, entry, number))
    entry = Busy("soak-long", "Soak all the time", 0, sandbox=LONG_BOX, live=True,
                 lasts=seconds, turn=LONG_TURN)  # fmt: skip
    return made, _added(demo, entry, runs)


def _added(demo: Demo, entry: Busy, age: float) -> str:
    world, boxes = demo.world, demo.world.sandboxes
    start = world.clock.start
    if entry.sandbox not in boxes:
        port = max(box.port for box in boxes.values()) + 1
        boxes[entry.sandbox] = Sandbox(entry.sandbox, "RUNNING", start, port)
    world.add(Conversation(entry, start - age, boxes[entry.sandbox]))
    return entry.id


class Weather:
    """Sits between the client and the servers. In a storm one call of three fails."""

    def __init__(self, app: ASGIApp, seed: int) -> None:
        self._app = app
        self._random = random.Random(seed)
        self._began = time.monotonic()

    def _is_stormy(self) -> bool:
        every, lasts = STORM
        return (time.monotonic() - self._began) % every > every - lasts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        one = self._random.random()
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
        elif one < (1 / 3 if self._is_stormy() else 0.01):
            await self._spoil(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _spoil(self, scope: Scope, receive: Receive, send: Send) -> None:
        what = self._random.choice(
            ("500", "503", "502", "429", "reset", "cut", "slow", "drip", "shape", "empty")
        )
        match what:
            case "500":
                await Response("Internal Server Error", 500)(scope, receive, send)
            case "503":
                await Response('{"detail": "asleep"}', 503)(scope, receive, send)
            case "502":
                page = Response("<html>bad gateway", 502, media_type="text/html")
                await page(scope, receive, send)
            case "429":
                refused = Response('{"message": "Too many requests"}', 429, {"Retry-After": "1"})
                await refused(scope, receive, send)
            case "shape":
                await Response('{"items": 3}', media_type="application/json")(scope, receive, send)
            case "empty":
                await Response("", media_type="application/json")(scope, receive, send)
            case "slow":
                await asyncio.sleep(self._random.uniform(0.5, 3.0))
                await self._app(scope, receive, send)
            case _:
                await self._broken(what, scope, receive, send)

    async def _broken(self, what: str, scope: Scope, receive: Receive, send: Send) -> None:
        """A body that is reset, cut off, or sent bit by bit."""
        parts: list[Any] = []

        async def keep(message: Any) -> None:
            parts.append(message)

        await self._app(scope, receive, keep)
        body = b"".join(part.get("body", b"") for part in parts)
        headers = [h for h in parts[0]["headers"] if h[0] != b"content-length"]
        await send({**parts[0], "headers": headers})
        if what == "drip":
            for place in range(0, len(body), len(body) // 8 + 1):
                piece = body[place : place + len(body) // 8 + 1]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await asyncio.sleep(0.1)
        else:
            half = body[: len(body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": what == "reset"})
            if what == "reset":
                raise ConnectionResetError
            return
        await send({"type": "http.response.body", "body": b""})


async def serve(runs: int, seed: int, seconds: float) -> None:
    demo = Demo()
    ids, long = make_runs(demo, runs, seconds)
    weather, local = Weather(demo.app, seed), ("127.0.0.1", 0)
    with socket.create_server(local) as listener, socket.create_server(local) as fair:
        ports = {"port": listener.getsockname()[1], "fair": fair.getsockname()[1]}
        print(json.dumps({**ports, "lasts": LASTS, "runs": ids, "long": long}), flush=True)
        await asyncio.gather(_listen(weather, listener), _listen(demo.app, fair))


async def _listen(app: ASGIApp, listener: socket.socket) -> None:
    config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_keep_alive=60)
    await uvicorn.Server(config).serve([listener])


if __name__ == "__main__":
    logging.disable()  # uvicorn logs resets
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
