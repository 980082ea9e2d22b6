"""Files of a project that count for more than other code: config, CI, locks."""

from __future__ import annotations

from functools import lru_cache

from oh_tui.trajectory.findings.review_hints.hint import Hint


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_CI_FOLDERS = (
    ".github/workflows/", ".github/actions/", ".circleci/", ".buildkite/", ".gitlab/ci/",
    ".woodpecker/",
)  # fmt: skip

_CI = _names("""
    .gitlab-ci.yml .travis.yml .drone.yml .cirrus.yml .woodpecker.yml appveyor.yml Jenkinsfile
    azure-pipelines.yml bitbucket-pipelines.yml cloudbuild.yaml
""")

_LOCKS = _names("""
    *.lock bun.lockb go.sum go.work.sum gradle.lockfile npm-shrinkwrap.json package-lock.json
    packages.lock.json pnpm-lock.yaml uv.lock
""")

_CONFIG = _names("""
    .babelrc .dockerignore .editorconfig .env .env.* .eslintrc .eslintrc.* .flake8 .gitattributes
    .gitignore .gitmodules .npmrc .nvmrc .pre-commit-config.yaml .prettierrc .prettierrc.*
    .pylintrc .python-version .tool-versions CMakeLists.txt CODEOWNERS Cargo.toml Containerfile
    Dockerfile Dockerfile.* *.Dockerfile Gemfile Justfile Makefile Pipfile Procfile Vagrantfile
    *.gradle *.gradle.kts babel.config.* build.zig composer.json compose.yaml compose.yml
    constraints*.txt dependabot.yml docker-compose*.yaml docker-compose*.yml eslint.config.*
    go.mod go.work jest.config.* justfile makefile mypy.ini package.json pom.xml pyproject.toml
    pyrightconfig.json pytest.ini renovate.json requirements*.txt ruff.toml setup.cfg setup.py
    tox.ini tsconfig*.json tslint.json vite.config.* vitest.config.* webpack.config.*
""")


@lru_cache(maxsize=4096)
def kind_of(path: str) -> Hint | None:
    """What the file with this path is for, if it is one of these."""
    name = path.rpartition("/")[2]
    if any(f"/{folder}" in f"/{path}" for folder in _CI_FOLDERS) or name in _CI:
        return Hint.CI
    if any(_is_like(name, one) for one in _LOCKS):
        return Hint.LOCK
    return Hint.CONFIG if any(_is_like(name, one) for one in _CONFIG) else None


def _is_like(name: str, one: str) -> bool:
    """Whether a name is one that may have a `*`. `fnmatch` takes 5 ms to compile all of them."""
    start, star, end = one.partition("*")
    if not star:
        return name == one
    return len(name) >= len(start) + len(end) and name.startswith(start) and name.endswith(end)
