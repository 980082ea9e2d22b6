"""Runs that came to an end, with or without a user who stopped them."""

from __future__ import annotations

from oh_tui.demo.run import Run
from oh_tui.demo.tools import create, edit, insert, mcp, plan, shell, undo, view

DOCKERFILE = """\
FROM python:3.13-slim
WORKDIR /srv
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
RUN python -m compileall -q shop
CMD ["gunicorn", "shop.wsgi", "--workers", "4"]
"""

COPY_ALL = """\
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
"""
COPY_SPLIT = """\
COPY requirements.txt .
RUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt
COPY shop shop
"""

IGNORE = ".git\n__pycache__\n*.pyc\ntests\nnode_modules\n.env\n"


def docker_cache(run: Run) -> None:
    """Finished, with hooks before the commits and a pull request at the end."""
    run.root = "/workspace/shop"
    run.files = {"Dockerfile": DOCKERFILE}
    run.user(
        "Building the shop image takes four minutes even when one line of Python changes. Please "
        "cache what can be cached and open a pull request.",
        named=True,
    )
    run.hook("UserPromptSubmit", ".openhands/hooks/check-prompt.sh", out="ok\n")
    run.do(
        "",
        view(run, "Dockerfile"),
        shell(
            run,
            "ls -a | head -20",
            ".dockerignore.sample  .git  Dockerfile  node_modules  requirements.txt  shop  tests\n",
        ),
        llm=3.6,
    )
    run.do(
        "`COPY . .` comes before the packages are installed, so each change of a file installs "
        "them anew. First the time as it is:",
        shell(
            run,
            "touch shop/views.py && time docker build -q -t shop .",
            "sha256:5d1c0a7be2f4\n\nreal\t3m58.204s\nuser\t0m0.311s\nsys\t0m0.182s\n",
            ran=239,
        ),
        llm=6.7,
    )
    run.do("", edit(run, "Dockerfile", COPY_ALL, COPY_SPLIT), llm=6.1)
    run.do(
        "Nothing keeps `.git` and `node_modules` out of the build context.",
        create(run, ".dockerignore", IGNORE),
        llm=5.0,
    )
    run.do(
        "One build to fill the cache, one to measure.",
        shell(
            run,
            "docker build -q -t shop . && touch shop/views.py && time docker build -q -t shop .",
            "sha256:0b7de9a14c55\nsha256:c8fe21d03b9a\n\nreal\t0m6.871s\nuser\t0m0.290s\nsys\t"
            "0m0.171s\n",
            ran=226,
        ),
        llm=4.9,
    )
    run.do(
        "",
        shell(
            run,
            "docker run --rm shop python -m shop.check",
            "\x1b[32msettings ok\x1b[0m\n\x1b[32mtemplates ok\x1b[0m\n"
            + "".join(f"urls {number} of 41\r" for number in range(1, 42))
            + "\x1b[33murls ok, 1 warning:\x1b[0m /favicon.ico has no view\n",
            ran=3.1,
        ),
        llm=3.0,
    )
    commit = shell(
        run,
        "git switch -qc cache-layers && git add -A && git commit -qm 'Cache the "
        "layers of the image'",
        ran=0.4,
    )
    run.do("From four minutes to seven seconds.", commit, llm=4.1, stays=True)
    run.hook(
        "PreToolUse",
        ".openhands/hooks/no-secrets.sh",
        call=commit,
        out="scanned 2 files, no secrets\n",
    )
    run.answer(commit)
    run.release()
    run.hook(
        "PostToolUse",
        ".openhands/hooks/lint.sh",
        call=commit,
        code=1,
        err="hadolint: DL3042 Dockerfile:4: not needed with a cache mount\n",
    )
    run.do("", shell(run, "git push -q -u origin cache-layers", ran=1.9), llm=2.8)
    run.do(
        "",
        mcp(
            "github_create_pull_request",
            {
                "title": "Cache the layers of the image",
                "head": "cache-layers",
                "base": "main",
                "body": "Packages are installed before the code is copied, from a cache mount. A "
                "build after a change of one file takes 7 s; it took 3m58s.",
            },
            "https://github.com/acme/shop/pull/482",
            ran=1.6,
            summary="Open the pull request",
        ),
        llm=5.5,
    )
    run.finish(
        "A build after a change of one file takes 7 seconds; it took 3 minutes 58. Pull request "
        "482 has both numbers.\n\n- The packages are installed before the code is copied, from a "
        "cache mount.\n- `.dockerignore` keeps `.git`, `node_modules`, the tests and `.env` out of "
        "the image.",
        llm=6.2,
    )


LEDGER_PY = """\
class Store:
    \"\"\"Entries in the order they were booked.\"\"\"

    def __init__(self, path):
        self.path = path
        self.entries = []

    def add(self, entry):
        self.entries.append(entry)
"""


def ledger(run: Run) -> None:
    """Finished: a rename through 38 files, with an edit taken back."""
    run.root = "/workspace/books"
    run.files = {"books/store.py": LEDGER_PY, "CHANGELOG.md": "# Changes\n\n## 4.0\n"}
    run.user(
        "`Store` has been a ledger for two years. Rename it to `Ledger` everywhere, the module "
        "too; keep the old name importable for one release, with a warning."
    )
    run.do(
        "",
        shell(run, "git grep -lw Store | wc -l && git grep -w Store | wc -l", "38\n164\n", ran=0.2),
        llm=3.4,
    )
    run.do(
        "",
        plan(run, "Rename class and module", "Old name with a warning", "Docs and changelog"),
        llm=4.0,
    )
    run.do(
        "",
        shell(
            run,
            "git mv books/store.py books/ledger.py && git grep -lzw Store | xargs -0 sed -i "
            "'s/\\bStore\\b/Ledger/g' && git diff --shortstat",
            " 38 files changed, 164 insertions(+), 164 deletions(-)\n",
            ran=0.5,
        ),
        llm=5.6,
    )
    run.files["books/ledger.py"] = LEDGER_PY.replace("class Store", "class Ledger")
    run.do(
        "",
        shell(
            run,
            "pytest -q",
            "FAILED tests/test_i18n.py::test_every_message_is_translated\n"
            "1 failed, 402 passed in 31.77s\n",
            code=1,
            ran=33,
        ),
        llm=2.7,
    )
    run.do(
        "",
        shell(
            run,
            "git diff -U0 | grep -n 'App Ledger'",
            '41:+msgid "Get it in the App Ledger"\n',
            ran=0.2,
        ),
        llm=4.6,
    )
    run.do(
        "`App Store` in a translation is no class of ours.",
        shell(run, "git checkout -q HEAD -- locale && pytest -q", "403 passed in 31.20s\n", ran=33),
        llm=3.9,
    )
    before = run.files["books/ledger.py"]
    run.do(
        "Now the old name.",
        insert(run, "books/ledger.py", 0, "import warnings\n\n"),
        llm=5.1,
    )
    run.do(
        "A subclass would break `type(x) is Store`. A module `__getattr__` is better; the import "
        "of `warnings` belongs there.",
        undo(run, "books/ledger.py", before),
        llm=6.3,
    )
    run.do(
        "",
        create(
            run,
            "books/store.py",
            '"""The former name of books.ledger."""\n\nimport warnings\n\n'
            "from books.ledger import Ledger\n\n\n"
            "def __getattr__(name):\n"
            '    if name == "Store":\n'
            '        warnings.warn("Store is now books.ledger.Ledger", DeprecationWarning, '
            "stacklevel=2)\n        return Ledger\n    raise AttributeError(name)\n",
        ),
        llm=8.2,
    )
    run.do(
        "",
        shell(
            run,
            "python -W error::DeprecationWarning -c 'from books.store import Store'",
            'Traceback (most recent call last):\n  File "<string>", line 1, in <module>\n'
            '  File "/workspace/books/books/store.py", line 10, in __getattr__\n'
            "DeprecationWarning: Store is now books.ledger.Ledger\n",
            code=1,
            ran=0.2,
        ),
        llm=3.3,
    )
    run.do("The warning comes, and names the new place.", plan(run, done=2), llm=2.9)
    run.do(
        "",
        insert(run, "CHANGELOG.md", 3, "\n- `Store` is now `Ledger`; the old name goes in 5.0."),
        llm=3.8,
    )
    run.do("", shell(run, "pytest -q", "403 passed in 31.34s\n", ran=32.5), llm=2.6)
    run.do("", plan(run, done=3), llm=2.5)
    run.finish(
        "`Store` is `Ledger` in 37 files; the translations, where it means the App Store, are "
        "untouched. `from books.store import Store` still works and warns. 403 tests pass.",
        llm=5.9,
    )


def settings_split(run: Run) -> None:
    """Stopped by the user, who then let the agent be."""
    run.root = "/workspace/intranet"
    run.files = {"intranet/settings.py": "DEBUG = True\nSECRET_KEY = 'dev'\nALLOWED_HOSTS = []\n"}
    run.user("Split intranet/settings.py into base, dev and prod. Prod must not start with DEBUG.")
    run.do("", view(run, "intranet/settings.py"), llm=3.0)
    run.do(
        "",
        create(run, "intranet/settings/base.py", "ALLOWED_HOSTS: list[str] = []\n"),
        create(
            run,
            "intranet/settings/dev.py",
            "from .base import *\n\nDEBUG = True\nSECRET_KEY = 'dev'\n",
        ),
        create(
            run,
            "intranet/settings/prod.py",
            "import os\n\nfrom .base import *\n\nDEBUG = False\n"
            'SECRET_KEY = os.environ["SECRET_KEY"]\n',
        ),
        llm=12.1,
    )
    cut = shell(run, "python manage.py check --deploy --settings intranet.settings.prod", ran=8)
    cut.error = "The call was cancelled: the user interrupted the agent."
    cut.observation = None
    run.do("", cut, llm=4.4)
    run.emit("InterruptEvent", "user", {})
    run.set_status("paused")
    run.user("SECRET_KEY comes from a file in prod, /run/secrets/key. Then go on.", after=64)
    run.do(
        "",
        edit(
            run,
            "intranet/settings/prod.py",
            "import os\n\nfrom .base import *\n",
            "from pathlib import Path\n\nfrom .base import *\n",
        ),
        llm=5.3,
    )
    run.do(
        "",
        edit(
            run,
            "intranet/settings/prod.py",
            'os.environ["SECRET_KEY"]',
            'Path("/run/secrets/key").read_text().strip()',
        ),
        llm=4.7,
    )
    run.do(
        "",
        shell(
            run,
            "git rm -q intranet/settings.py && git grep -n 'intranet.settings'",
            "manage.py:8:    'intranet.settings'\nintranet/wsgi.py:5:    "
            "'intranet.settings'\nDockerfile:11:ENV DJANGO_SETTINGS_MODULE="
            "intranet.settings\n",
        ),
        llm=4.0,
    )
    run.halt()
    run.full_state()


def pydantic_notes(run: Run) -> None:
    """A small second conversation in the sandbox of the migration."""
    run.root = "/workspace/api"
    run.files = {}
    run.user(
        "What changed between pydantic 1 and 2 that our API will notice? Half a page, no code."
    )
    run.do("", shell(run, "grep -rn 'pydantic' --include=*.py app | wc -l", "9\n"), llm=3.1)
    run.say(
        "Four things reach the API:\n\n"
        "1. **Optional is not a default.** `name: Optional[str]` becomes a required field that may "
        "be null.\n"
        "2. **Fewer conversions.** A number is no longer taken for a string.\n"
        "3. **Validators after the fact** see the model, not a dict.\n"
        "4. **The schema is stricter:** fields that may be null say so, as `anyOf`.\n\n"
        "The third is the only one that needs thought here: `Order.adds_up`.",
        llm=9.2,
    )


def crashed(run: Run) -> None:
    """Its sandbox died of too little memory: the last call has no result."""
    run.root = "/workspace/png-tools"
    run.user("`pngcrush-lite` dies on test/huge.png (30000 x 30000). Find out where.")
    run.do(
        "",
        shell(
            run,
            "make -s debug && ls -la build/pngcrush-lite",
            "-rwxr-xr-x 1 openhands openhands 1184312 build/pngcrush-lite\n",
            ran=11.6,
        ),
        llm=3.4,
    )
    run.do(
        "",
        shell(
            run,
            "build/pngcrush-lite test/huge.png /tmp/out.png",
            "Segmentation fault\n",
            code=139,
            ran=4.2,
        ),
        llm=2.8,
    )
    run.do(
        "The same under valgrind, which needs a few gigabytes for this one.",
        shell(run, "valgrind --leak-check=no build/pngcrush-lite test/huge.png /tmp/out.png"),
        llm=4.5,
        stays=True,
    )
