"""How events are worded for the model."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from oh_tui.trajectory.context.observation import cut
from oh_tui.trajectory.context.sdk_messages import message, plain, size
from oh_tui.trajectory.context.sdk_versions import NOW, of_version
from oh_tui.trajectory.model.events import Event
from tests.trajectory.context.made import act, contexts, last, said, system, texts, user
from tests.trajectory.made import call, event, failure, output, result, shell

Body = dict[str, Any]

FAILED = "[An error occurred during execution.]\n"


def made(*events: Event, version: str = "1.58.2") -> Body:
    rules = of_version(version)
    assert rules is not None
    return message([one.body() for one in events], rules)


def block(words: str) -> Body:
    return {"type": "text", "text": words, "cache_prompt": False}


def test_a_system_prompt_has_what_the_conversation_adds_as_a_second_block() -> None:
    assert made(system(dynamic_context=block("It is Sunday."))) == {
        "role": "system",
        "content": [
            {"type": "text", "text": "You are an agent."},
            {"type": "text", "text": "It is Sunday."},
        ],
    }


def test_a_message_has_what_skills_added_to_it() -> None:
    found = made(user("u", "do it", extended_content=[block("a skill")]))
    assert texts(found) == ["do it", "a skill"]
    assert found["role"] == "user"


def test_an_answer_in_words_has_its_thinking() -> None:
    thinking = [{"type": "thinking", "thinking": "hm", "signature": None}]
    words: Body = {
        "role": "assistant",
        "content": [block("done")],
        "tool_calls": None,
        "name": None,
    }
    words |= {"reasoning_content": "hm", "thinking_blocks": thinking}
    words |= {"responses_reasoning_item": {"id": "i", "summary": [], "status": None}}
    assert made(said("m", llm_message=words)) == {
        "role": "assistant",
        "content": [{"type": "text", "text": "done"}],
        "reasoning_content": "hm",
        "thinking_blocks": [{"type": "thinking", "thinking": "hm"}],
        "responses_reasoning_item": {"id": "i", "summary": []},
    }


def test_calls_of_an_answer_have_the_thought_of_the_first() -> None:
    called: Body = {"id": "call-b", "name": "think", "arguments": "{}", "origin": "completion"}
    called |= {"responses_item_id": None}
    first = act("a", llm_response_id="r", thought=[block("first")], reasoning_content="hm")
    second = act("b", llm_response_id="r", thought=[], tool_call=called)
    assert made(first, second) == {
        "role": "assistant",
        "content": [{"type": "text", "text": "first"}],
        "tool_calls": [
            {"id": "call-a", "name": "think", "arguments": "{}"},
            {"id": "call-b", "name": "think", "arguments": "{}", "origin": "completion"},
        ],
        "reasoning_content": "hm",
    }


def test_a_call_of_the_first_pre_releases_is_told_as_those_of_now() -> None:
    old = {"id": "x", "type": "function", "function": {"name": "think", "arguments": "{}"}}
    assert made(act("a", tool_call=old))["tool_calls"] == [
        {"id": "x", "name": "think", "arguments": "{}"}
    ]


def test_a_call_without_arguments_in_its_event_has_none() -> None:
    assert made(act("a", tool_call=None))["tool_calls"] == [{"id": "call-a", "name": "think"}]


def test_an_output_has_folder_interpreter_and_exit_code() -> None:
    metadata: Body = {
        "prefix": "[still ]",
        "suffix": "\n[done]",
        "working_dir": "/w",
        "exit_code": 2,
    }
    metadata["py_interpreter_path"] = "/usr/bin/python"
    seen: Body = {"kind": "TerminalObservation", "content": [block("a"), block("b")]}
    found = made(result("a", seen | {"metadata": metadata, "is_error": True}))
    assert found == {
        "role": "tool",
        "content": [
            {"type": "text", "text": FAILED},
            {
                "type": "text",
                "text": "[still ]ab\n[done]\n[Current working directory: /w]"
                "\n[Python interpreter: /usr/bin/python]\n[Command finished with exit code 2]",
            },
        ],
        "tool_call_id": "call-a",
        "name": "terminal",
    }


@pytest.mark.parametrize("code", [-1, None])
def test_a_command_that_has_not_ended_has_no_exit_code(code: int | None) -> None:
    seen: Body = {
        "kind": "TerminalObservation",
        "content": [block("a")],
        "metadata": {"exit_code": code},
    }
    assert texts(made(result("a", seen))) == ["a"]


def test_a_long_output_is_cut_and_names_the_file_with_all_of_it() -> None:
    words = "".join(f"line {n}\n" for n in range(6000))
    seen: Body = {"kind": "TerminalObservation", "content": [block(words)], "metadata": {}}
    seen["full_output_save_dir"] = "/w/observations/"
    (shown,) = texts(made(result("a", seen)))
    digest = hashlib.sha256(words.encode()).hexdigest()[:8]
    assert len(shown) == 30_000
    assert f"saved to /w/observations/terminal_output_{digest}.txt - you can" in shown
    line = len(words[: (30_000 - 113 + 1) // 2].splitlines()) + 1
    assert f"starts around line {line}).</NOTE>" in shown
    old = texts(made(result("a", seen), version="1.17.0"))[0]
    assert f"/bash_output_{digest}.txt" in old


def test_any_long_text_of_a_result_is_cut() -> None:
    seen: Body = {"kind": "FileEditorObservation", "content": [block("x" * 60_000)]}
    (shown,) = texts(made(result("a", seen)))
    assert len(shown) == 50_000
    assert "<response clipped>" in shown
    whole = user("u", "y" * 60_000)
    assert len(texts(made(whole))[0]) == 60_000
    assert len(texts(made(whole, version="1.11.0"))[0]) == 50_000


def test_a_text_that_fits_is_not_cut() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("x" * 200, 50) == "<response clipped><NOTE>Due to the max output limi"


def test_a_page_has_its_picture() -> None:
    seen: Body = {"kind": "BrowserObservation", "content": [block("a page")], "is_error": False}
    seen |= {"screenshot_data": "/9j/abc", "full_output_save_dir": "out"}
    digest = hashlib.sha256(b"/9j/abc").hexdigest()[:8]
    assert made(result("a", seen))["content"] == [
        {"type": "text", "text": "a page"},
        {"type": "text", "text": f"Screenshot saved to: out/browser_screenshot_{digest}.jpg"},
        {"type": "image", "image_urls": ["data:image/jpeg;base64,/9j/abc"]},
    ]


def test_tools_that_word_their_results_themselves() -> None:
    task: Body = {
        "kind": "TaskObservation",
        "task_id": "7",
        "subagent": "coder",
        "status": "completed",
    }
    task |= {"content": [block("done")], "is_error": True}
    about = "Task ID: 7\nSubagent: coder\nStatus: completed"
    assert texts(made(result("a", task))) == [about, FAILED, "done"]
    tom: Body = {"kind": "ConsultTomObservation", "suggestions": "ask", "confidence": 0.5}
    tom["reasoning"] = "unclear"
    told = "Tom agent's guidance:\nask\n\nReasoning: unclear\n\nConfidence: 50%"
    assert texts(made(result("a", tom))) == [told]
    indexed: Body = {"kind": "SleeptimeComputeObservation", "sessions_processed": 2, "message": "m"}
    told = "Successfully indexed 2 conversation(s) for user modeling.\nm"
    assert texts(made(result("a", indexed))) == [told]


def test_a_failure_and_a_rejection() -> None:
    assert texts(made(failure("a", "no such tool"))) == ["no such tool"]
    links: Body = {"tool_name": "terminal", "tool_call_id": "call-a", "action_id": "a"}
    refused = event("UserRejectObservation", "x", rejection_reason="no", **links)
    assert texts(made(refused)) == ["Action rejected: no"]
    assert texts(made(event("UserRejectObservation", "x", **links))) == [
        "Action rejected: User rejected the action"
    ]


def test_a_result_has_what_rules_of_its_path_add() -> None:
    seen: Body = {"kind": "FileEditorObservation", "content": [block("1\tx")]}
    assert texts(made(result("a", seen, extended_content=[block("a rule")]))) == ["1\tx", "a rule"]


def test_a_result_of_the_first_pre_releases_has_its_text() -> None:
    old = event("ObservationEvent", "r", observation={"kind": "ExecuteBashObservation",
                                                      "output": "hi"})  # fmt: skip
    assert texts(made(old)) == ["hi"]


def test_of_another_format_texts_are_taken_as_they_are() -> None:
    seen: Body = {"kind": "TerminalObservation", "content": [block("out")], "is_error": True}
    rules = NOW._replace(is_sdk=False)
    assert texts(message([result("a", seen).body()], rules)) == ["out"]


def test_sizes_are_characters_of_all_texts() -> None:
    thinking = [{"type": "thinking", "thinking": "hmm"}]
    found = made(act("a", thought=[block("say")], thinking_blocks=thinking))
    assert size(found) == len("say") + len("think") + len("{}") + len("hmm")
    assert plain(found) == "say\n{}"
    context = last(contexts(system(), user("u", "do"), said("m")))
    assert [one.chars for one in context.messages] == [17, 2]
    assert context.messages[1].text == "do"


def test_what_leaves_is_json() -> None:
    found = contexts(system(), user("u"), shell("a"), output("a", "x"), said("m"))
    assert json.loads(json.dumps(last(found).dump())) == last(found).dump()


def test_the_tools_of_a_context_are_named() -> None:
    listed = [{"kind": "TerminalTool", "title": "terminal"}, {"name": "think"}, {"kind": "Odd"}, 3]
    prompt = event("SystemPromptEvent", "s", system_prompt=block("x"), tools=listed)
    assert last(contexts(prompt, user("u"), said("m"))).tools == ("terminal", "think")
    assert last(contexts(user("u"), said("m"))).tools == ()


def test_an_image_is_named_as_something_that_not_every_model_sees() -> None:
    picture = {"type": "image", "image_urls": ["data:image/png;base64,iVBO"]}
    words: Body = {"role": "user", "content": [block("look"), picture]}
    asked = event("MessageEvent", "u", source="user", llm_message=words)
    context = last(contexts(system(), asked, said("m")))
    assert context.messages[1].dump()["content"][1] == picture
    assert "images" in [gap.name for gap in context.gaps]
    without = last(contexts(system(), user("u"), call("a", None)))
    assert "images" not in [gap.name for gap in without.gaps]
