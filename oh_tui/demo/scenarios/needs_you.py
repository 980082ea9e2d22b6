"""Runs that wait for somebody: a push to confirm, a key that was refused."""

from __future__ import annotations

from oh_tui.demo.run import Run
from oh_tui.demo.tools import create, edit, patch, plan, shell

OAUTH = """\
import { randomBytes } from "node:crypto";

import { Router } from "express";

import { config } from "../config";
import { findOrCreateUser } from "../users";

export const oauth = Router();

oauth.get("/login/github", (request, response) => {
  const state = randomBytes(16).toString("hex");
  request.session.oauthState = state;
  const query = new URLSearchParams({
    client_id: config.github.clientId,
    redirect_uri: `${config.origin}/login/github/done`,
    scope: "read:user user:email",
    state,
  });
  response.redirect(`https://github.com/login/oauth/authorize?${query}`);
});

oauth.get("/login/github/done", async (request, response) => {
  const { code } = request.query;
  const profile = await fetchProfile(String(code));
  request.session.userId = (await findOrCreateUser(profile)).id;
  response.redirect("/");
});
"""

STATE_OLD = """\
  const { code } = request.query;
  const profile"""
STATE_NEW = """\
  const { code, state } = request.query;
  if (!state || state !== request.session.oauthState) {
    response.status(400).send("The login was not started here. Please try again.");
    return;
  }
  delete request.session.oauthState;
  const profile"""

APP_PATCH = """\
*** Begin Patch
*** Update File: src/app.ts
@@
 import { health } from "./routes/health";
+import { oauth } from "./routes/oauth";
 import { pages } from "./routes/pages";
@@
 app.use(health);
+app.use(oauth);
 app.use(pages);
*** Update File: .env.example
@@
 SESSION_SECRET=
+GITHUB_CLIENT_ID=
+GITHUB_CLIENT_SECRET=
*** End Patch
"""

OAUTH_TEST = """\
import request from "supertest";

import { app } from "../src/app";

describe("login with GitHub", () => {
  it("sends a state that belongs to the session", async () => {
    const first = await request(app).get("/login/github");
    const second = await request(app).get("/login/github");
    const state = (url: string) => new URL(url).searchParams.get("state");
    expect(state(first.headers.location)).toHaveLength(32);
    expect(state(first.headers.location)).not.toBe(state(second.headers.location));
  });

  it("refuses an answer without the state it sent", async () => {
    const answer = await request(app).get("/login/github/done?code=x&state=guessed");
    expect(answer.status).toBe(400);
  });
});
"""

JEST_FAIL = """\
\x1b[1m\x1b[31mFAIL\x1b[39m\x1b[22m test/oauth.test.ts
  login with GitHub
    \x1b[32m✓\x1b[39m sends a state that belongs to the session (41 ms)
    \x1b[31m✕\x1b[39m refuses an answer without the state it sent (18 ms)

  ● login with GitHub › refuses an answer without the state it sent

    expect(received).toBe(expected) // Object.is equality

    Expected: 400
    Received: 500

Test Suites: 1 failed, 11 passed, 12 total
Tests:       1 failed, 68 passed, 69 total
Time:        6.114 s
"""

JEST_OK = """\
\x1b[32mPASS\x1b[39m test/oauth.test.ts
Test Suites: 12 passed, 12 total
Tests:       69 passed, 69 total
Time:        6.027 s
"""

PUSH_REFUSED = """\
To github.com:acme/portal.git
 ! [rejected]        auth -> auth (non-fast-forward)
error: failed to push some refs to 'github.com:acme/portal.git'
hint: Updates were rejected because the tip of your current branch is behind
hint: its remote counterpart.
"""


def oauth(run: Run) -> None:
    """Waits: a force push to confirm, after an earlier one was refused."""
    run.root = "/workspace/portal"
    run.confirms = True
    run.files = {}
    run.user(
        "Add login with GitHub to the portal, on the branch `auth` that is already there. Use the "
        "session we have, no new dependency. Open a draft pull request when the tests pass.",
        skills=("express",),
    )
    run.do(
        "",
        plan(
            run,
            "Look at the branch",
            "Two routes: start and done",
            "Check the state parameter",
            "Push and open a draft pull request",
        ),
        llm=5.4,
    )
    run.do(
        "The branch and the routes there are.",
        shell(
            run,
            "git switch auth && git log --oneline main..auth",
            "Switched to branch 'auth'\n71d02be Session cookie: secure and same-site\n",
        ),
        shell(
            run,
            "ls src src/routes test",
            "src:\napp.ts  config.ts  routes  users.ts\n\nsrc/routes:\nhealth.ts  pages.ts\n\n"
            "test:\napp.test.ts  pages.test.ts  users.test.ts\n",
        ),
        llm=4.1,
    )
    run.do("", create(run, "src/routes/oauth.ts", OAUTH), llm=14.2)
    run.do(
        "One patch hangs it into the app and names the two settings.",
        patch("Done! Updated 2 files.", APP_PATCH),
        llm=7.7,
    )
    run.do("", create(run, "test/oauth.test.ts", OAUTH_TEST), llm=11.0)
    run.do("", shell(run, "npx jest", JEST_FAIL, code=1, ran=7.2), llm=2.8)
    run.do(
        "As feared: the answer is accepted whatever its state. That would let somebody log a "
        "victim in to an account of theirs.",
        edit(run, "src/routes/oauth.ts", STATE_OLD, STATE_NEW),
        llm=9.6,
        because="The state is written to the session but never compared. Compare, then delete it, "
        "so that it serves once.",
    )
    run.do("", shell(run, "npx jest", JEST_OK, ran=7.0), llm=2.5)
    run.do("", plan(run, done=3), llm=2.6)
    run.do(
        "",
        shell(
            run,
            "git add -A && git commit -qm 'Log in with GitHub' && git push origin auth",
            PUSH_REFUSED,
            code=1,
            ran=2.1,
        ),
        llm=4.0,
    )
    run.ask(
        "The branch on the server has moved. I could overwrite it.",
        shell(
            run,
            "git push --force origin auth",
            "",
            risk="HIGH",
            summary="Overwrite the branch auth on the server",
        ),
        llm=4.4,
        rejected_after=148,
        reason="Not over other people's commits. See what is there first, rebase, run the tests "
        "again.",
    )
    run.do(
        "",
        shell(
            run,
            "git fetch -q && git log --oneline auth..origin/auth",
            "e55a90c Session cookie: secure and same-site, host only\n",
            ran=1.3,
        ),
        llm=3.9,
    )
    run.do(
        "That is the commit I have, amended by its author. A rebase drops the old one.",
        shell(
            run,
            "git rebase origin/auth",
            "dropping 71d02be Session cookie: secure and same-site -- patch contents already "
            "upstream\nSuccessfully rebased and updated refs/heads/auth.\n",
            ran=0.6,
        ),
        llm=5.2,
    )
    run.do("", shell(run, "npx jest", JEST_OK, ran=7.1), llm=2.4)
    run.do(
        "",
        shell(run, "git push origin auth", PUSH_REFUSED, code=1, ran=1.9),
        llm=2.9,
    )
    run.ask(
        "The server still refuses: origin/auth was rewritten once more while the tests ran. My "
        "commit is the only one on top, so overwriting loses nothing that I know of. "
        "Please decide.",
        shell(
            run,
            "git push --force origin auth",
            "",
            risk="HIGH",
            summary="Overwrite the branch auth on the server",
        ),
        llm=6.8,
    )


def dep_bump(run: Run) -> None:
    """Failed at the first call of the model."""
    run.root = "/workspace/storefront"
    run.user(
        "Nightly: update the dependencies that have a new minor or patch version, run the tests, "
        "open one pull request. Leave major versions alone.",
        named=False,
    )
    run.wait(1.2)
    run.fail(
        "LLMAuthenticationError",
        "litellm.AuthenticationError: AnthropicException - "
        '{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}',
    )
