"""A run that uses everything the browser can do."""

from __future__ import annotations

from oh_tui.demo.images import SCREENSHOT
from oh_tui.demo.run import Run
from oh_tui.demo.tools import browse


def signup(run: Run) -> None:
    """Everything the browser can do."""
    run.root = "/workspace/web"
    run.files = {}
    run.user(
        "People say that the signup page at https://staging.acme.example/signup is slow. Use the "
        "browser, find the reason, do not change anything."
    )
    page = "https://staging.acme.example/signup"
    run.do("", browse("StartRecording", "Recording started."), llm=2.9)
    run.do(
        "", browse("Navigate", f"Opened {page} in 6.8 s", url=page, new_tab=False, ran=6.8), llm=3.1
    )
    run.do(
        "",
        browse(
            "GetState",
            f"URL: {page}\nTitle: Sign up\n[0] input E-mail\n[1] input Password\n"
            "[2] button Sign up\n[3] a Privacy",
            image=SCREENSHOT,
            include_screenshot=True,
            ran=0.7,
        ),
        llm=3.4,
    )
    run.do("", browse("Type", "Typed into [0].", index=0, text="slow@acme.example"), llm=2.6)
    run.do("", browse("Type", "Typed into [1].", index=1, text="correct-horse-battery"), llm=2.4)
    run.do(
        "The button would create an account. Only the page is asked for, so I leave it alone; the "
        "privacy page shows whether others are slow too.",
        browse("Click", "Clicked [3]; a new tab opened.", index=3, new_tab=True, ran=0.9),
        llm=4.8,
    )
    run.do("", browse("ListTabs", f"t1 {page}\nt2 https://staging.acme.example/privacy"), llm=2.3)
    run.do("", browse("SwitchTab", "Switched to t2 (loaded in 0.4 s).", tab_id="t2"), llm=2.2)
    run.do("", browse("Scroll", "Scrolled down by one page.", direction="down"), llm=2.3)
    run.do(
        "", browse("GoBack", "There is nothing to go back to in this tab.", is_error=True), llm=2.4
    )
    run.do("", browse("CloseTab", "Closed t2.", tab_id="t2"), llm=2.1)
    run.do(
        "Only signup. What does the page load?",
        browse(
            "GetContent",
            "# Sign up\n\n- script /assets/signup.js 41 kB\n- script "
            "/assets/zxcvbn-all-locales.js 5.9 MB\n- font /assets/inter.woff2 98 kB",
            extract_links=True,
            start_from_char=0,
            ran=0.5,
        ),
        llm=3.7,
    )
    run.do("", browse("GetStorage", '{"cookies": [], "localStorage": {"locale": "en"}}'), llm=2.5)
    run.do(
        "With the locale set to German, is it the same file?",
        browse(
            "SetStorage",
            "Storage set; reload to apply.",
            storage_state={"localStorage": {"locale": "de"}},
        ),
        llm=3.0,
    )
    run.do(
        "", browse("Navigate", f"Opened {page} in 6.9 s", url=page, new_tab=False, ran=6.9), llm=2.3
    )
    run.do("", browse("StopRecording", "Recording stopped: 14 events, 41 s."), llm=2.2)
    run.finish(
        "The page loads the password meter with the word lists of all languages: 5.9 MB, before "
        "anything is shown. The privacy page, without it, needs 0.4 s.\n\nLoading the meter when "
        "the password field gets the focus would take the page from 6.8 s to under one.",
        llm=6.1,
    )
