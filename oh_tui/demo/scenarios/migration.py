"""A migration that goes on while you watch: twelve minutes in, four to go."""

from __future__ import annotations

from oh_tui.demo.run import Run
from oh_tui.demo.tools import edit, glob, grep, plan, shell, view

USER_PY = """\
from datetime import datetime
from typing import Optional

from pydantic import BaseModel, validator


class User(BaseModel):
    id: int
    email: str
    name: Optional[str]
    created: datetime

    class Config:
        orm_mode = True

    @validator("email")
    def lower(cls, value):
        return value.lower()
"""

ORDER_PY = """\
from decimal import Decimal

from pydantic import BaseModel, root_validator


class Order(BaseModel):
    id: int
    net: Decimal
    tax: Decimal
    total: Decimal

    @root_validator
    def adds_up(cls, values):
        if values["net"] + values["tax"] != values["total"]:
            raise ValueError("net and tax do not add up to the total")
        return values
"""

SETTINGS_PY = """\
from pydantic import BaseSettings


class Settings(BaseSettings):
    database_url: str
    page_size: int = 50

    class Config:
        env_prefix = "API_"
"""


def _pytest(failed: int, passed: int, seconds: str, *names: str) -> str:
    rows = "".join(f"FAILED {name}\n" for name in names)
    bad = f"{failed} failed, " if failed else ""
    return f"{rows}{bad}{passed} passed in {seconds}s\n"


def pydantic(run: Run) -> None:
    """Live: twelve minutes in when you look, at work for four more."""
    run.root = "/workspace/api"
    run.files = {
        "app/models/user.py": USER_PY,
        "app/models/order.py": ORDER_PY,
        "app/settings.py": SETTINGS_PY,
    }
    run.user(
        "Move the API from pydantic 1 to 2. Same behaviour on the wire: the OpenAPI document may "
        "not change. One commit per kind of change.",
    )
    run.do(
        "Three looks at once.",
        glob(run, "app/models/*.py", ["app/models/order.py", "app/models/user.py"]),
        grep(
            run,
            "from pydantic",
            ["app/models/order.py", "app/models/user.py", "app/settings.py"],
            "*.py",
        ),
        shell(run, "pip list 2>/dev/null | grep -i pydantic", "pydantic         1.10.24\n"),
        llm=5.9,
    )
    run.do(
        "A baseline before anything changes: the tests, and the document to compare with.",
        shell(run, "pytest -q", _pytest(0, 318, "71.44"), ran=72.6),
        shell(
            run,
            "python -m app.openapi > /tmp/before.json && wc -c /tmp/before.json",
            "48212 /tmp/before.json\n",
            ran=2.2,
        ),
        llm=6.6,
    )
    run.do(
        "",
        plan(
            run,
            "Baseline",
            "Upgrade, settings in their own package",
            "Config classes",
            "Validators",
            "Compare the OpenAPI documents",
        ),
        llm=5.2,
    )
    run.do(
        "",
        shell(
            run,
            "pip install -q 'pydantic>=2.11,<3' pydantic-settings && pip check",
            "No broken requirements found.\n",
            ran=31,
        ),
        llm=3.3,
    )
    run.do(
        "",
        view(run, "app/settings.py"),
        view(run, "app/models/user.py"),
        view(run, "app/models/order.py"),
        llm=3.8,
    )
    run.do(
        "",
        edit(
            run,
            "app/settings.py",
            SETTINGS_PY,
            "from pydantic_settings import BaseSettings, SettingsConfigDict\n\n\n"
            "class Settings(BaseSettings):\n"
            '    model_config = SettingsConfigDict(env_prefix="API_")\n\n'
            "    database_url: str\n    page_size: int = 50\n",
        ),
        llm=8.1,
    )
    run.do(
        "",
        shell(
            run,
            "pytest -q -x",
            _pytest(1, 12, "9.02", "tests/models/test_user.py::test_from_row"),
            code=1,
            ran=10.1,
        ),
        llm=2.8,
    )
    run.do(
        "The settings work. Did this test pass before they changed?",
        shell(
            run,
            "git stash -q && pytest -q tests/models; git stash pop -q",
            _pytest(0, 64, "38.10"),
            ran=41,
        ),
        llm=5.5,
    )
    run.do("", plan(run, done=2), llm=2.6)
    run.do(
        "",
        shell(
            run,
            "git commit -qam 'Settings: use pydantic-settings' && pytest -q tests/settings",
            _pytest(0, 11, "4.92"),
            ran=6.2,
        ),
        llm=3.7,
    )
    run.do(
        "A field that may be missing needs a default now; otherwise `name` becomes required.",
        edit(
            run,
            "app/models/user.py",
            "    name: Optional[str]\n",
            "    name: Optional[str] = None\n",
        ),
        llm=7.2,
    )
    run.do(
        "",
        shell(run, "pytest -q contract", _pytest(0, 97, "188.60"), ran=190),
        llm=4.0,
    )
    run.do(
        "The same on the wire. Types next; the plugin of version 1 has to go.",
        shell(
            run,
            "sed -i '/pydantic.mypy/d' pyproject.toml && mypy app",
            "Success: no issues found in 31 source files\n",
            ran=94,
        ),
        llm=5.8,
    )
    run.do(
        "",
        shell(
            run,
            "docker compose up -d db && alembic upgrade head",
            " Container api-db-1  Started\nINFO  [alembic.runtime.migration] Running upgrade  -> "
            "8c1d, users\nINFO  [alembic.runtime.migration] Running upgrade 8c1d -> 91ab, orders\n",
            ran=39,
        ),
        llm=4.2,
    )
    run.do("", shell(run, "pytest -q integration", _pytest(0, 41, "98.17"), ran=100), llm=2.9)
    run.do(
        "",
        edit(
            run,
            "app/models/user.py",
            "    class Config:\n        orm_mode = True\n",
            "    model_config = ConfigDict(from_attributes=True)\n",
        ),
        llm=6.9,
    )
    run.do(
        "",
        edit(
            run,
            "app/models/user.py",
            "import BaseModel, validator",
            "import BaseModel, ConfigDict, field_validator",
        ),
        llm=4.4,
    )
    run.do(
        "",
        edit(
            run,
            "app/models/user.py",
            '    @validator("email")\n    def',
            '    @field_validator("email")\n    @classmethod\n    def',
        ),
        llm=5.3,
    )
    run.do("", plan(run, done=3), llm=2.7)
    run.do(
        "",
        shell(
            run,
            "pytest -q",
            _pytest(
                2,
                316,
                "70.81",
                "tests/models/test_order.py::test_adds_up",
                "tests/models/test_order.py::test_refuses_a_wrong_total",
            ),
            code=1,
            ran=72.2,
        ),
        llm=max(2.0, 720 - run.elapsed),
    )
    run.do(
        "Only the root validator is left. After validation there is a model, not a dict.",
        edit(
            run,
            "app/models/order.py",
            ORDER_PY[ORDER_PY.index("    @root") :],
            '    @model_validator(mode="after")\n    def adds_up(self) -> "Order":\n'
            "        if self.net + self.tax != self.total:\n"
            '            raise ValueError("net and tax do not add up to the total")\n'
            "        return self\n",
        ),
        llm=9.4,
    )
    run.do(
        "",
        edit(
            run,
            "app/models/order.py",
            "import BaseModel, root_validator",
            "import BaseModel, model_validator",
        ),
        llm=4.1,
    )
    run.do("", shell(run, "pytest -q", _pytest(0, 318, "70.02"), ran=71.3), llm=2.6)
    run.do("", plan(run, done=4), llm=2.6)
    run.do(
        "",
        shell(
            run,
            "python -m app.openapi > /tmp/after.json; diff /tmp/before.json /tmp/after.json",
            '417c417\n<       "name": {"type": "string"},\n---\n'
            '>       "name": {"anyOf": [{"type": "string"}, {"type": "null"}]},\n',
            code=1,
            ran=2.4,
        ),
        llm=4.5,
    )
    run.do(
        "One difference: version 2 says that `name` may be null, which it could before without "
        "being told. The task says the document may not change, so I pin the old form.",
        edit(
            run,
            "app/models/user.py",
            "    name: Optional[str] = None\n",
            '    name: Optional[str] = Field(None, json_schema_extra={"type": "string"})\n',
        ),
        llm=10.2,
    )
    run.do(
        "",
        edit(
            run,
            "app/models/user.py",
            "ConfigDict, field_validator",
            "ConfigDict, Field, field_validator",
        ),
        llm=3.8,
    )
    run.do(
        "",
        shell(
            run,
            "python -m app.openapi | diff /tmp/before.json - && pytest -q",
            _pytest(0, 318, "70.37"),
            ran=73.9,
        ),
        llm=3.0,
    )
    run.do("", plan(run, done=5), llm=2.5)
    run.finish(
        "The API runs on pydantic 2.11. All 318 tests pass, and the OpenAPI document is the same "
        "byte for byte.\n\nFour commits: settings, config classes, field validators, the root "
        "validator. The one pinned schema is `User.name`; drop it when clients may see `null`.",
        llm=8.0,
    )
