"""What holds an object: the message of a test that something was let go."""

from __future__ import annotations

import gc
import sys
from types import ModuleType

DEEP, MANY = 8, 2_000
"""Steps from the object, and how many objects are looked at."""


def holders(held: object) -> str:
    """What refers to an object, and what to that, up to owners with a name: an object of the
    explorer, a task, a coroutine, a module."""
    gc.unfreeze()  # frozen objects are not told
    found, seen, here = list[str](), {id(held), id(sys._getframe())}, [(held, "")]
    seen |= {id(seen), id(found)}
    for _ in range(DEEP):
        above: list[tuple[object, str]] = []
        seen |= {id(here), id(above), *map(id, here)}
        for one, way in here:
            for owner in gc.get_referrers(one):
                if id(owner) in seen or len(seen) > MANY:
                    continue
                seen.add(id(owner))
                kind = type(owner)
                names = [n for n, each in getattr(owner, "__dict__", {}).items() if each is one]
                told = ".".join([kind.__qualname__, *names]) + (f" > {way}" if way else "")
                code = getattr(owner, "cr_code", None) or getattr(owner, "ag_code", None)
                told = f"{code.co_qualname}() > {way}" if code else told
                is_owner = kind.__module__.startswith(("oh_tui.tui", "textual", "_asyncio"))
                if is_owner or code or isinstance(owner, ModuleType):
                    found.append(told)
                else:
                    above.append((owner, told))
        here = above
    return "\n".join(sorted(found)) or "nothing that can be named"
