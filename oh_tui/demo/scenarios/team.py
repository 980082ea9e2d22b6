"""A run on a newer server: sub-agents, kinds of events that older servers do not know."""

from __future__ import annotations

from oh_tui.demo.recorder import fixed_uuid
from oh_tui.demo.run import Run
from oh_tui.demo.tools import result, shell, tool


def team(run: Run) -> None:
    """A newer server: sub-agents, a workflow, an oracle, a child conversation, risks judged."""
    run.root = "/workspace/gateway"
    run.files = {}
    run.user("Audit the public endpoints of the gateway: which ones answer without a login?")
    run.do(
        "",
        tool(
            "classify_and_switch_llm",
            "ClassifyAndSwitchLLMAction",
            {},
            result(
                "ClassifyAndSwitchLLMObservation",
                "Class: review.",
                chosen_class="review",
                model="anthropic/claude-sonnet-4-5",
                active_model="anthropic/claude-sonnet-4-5",
            ),
        ),
        llm=2.4,
    )
    run.do(
        "",
        tool(
            "delegate",
            "DelegateAction",
            {"command": "spawn", "ids": ["routes", "probe"], "agent_types": None, "tasks": None},
            result("DelegateObservation", "Spawned 2 sub-agents: routes, probe.", command="spawn"),
            ran=0.3,
        ),
        llm=3.4,
    )
    run.do(
        "",
        tool(
            "delegate",
            "DelegateAction",
            {
                "command": "delegate",
                "ids": None,
                "agent_types": None,
                "tasks": {
                    "routes": "List all routes and their guards.",
                    "probe": "Call each route of staging without a cookie.",
                },
            },
            result(
                "DelegateObservation",
                "routes: 61 routes, 9 without a guard.\nprobe: 61 called, 10 answered 200.",
                command="delegate",
            ),
            ran=141,
        ),
        llm=4.6,
    )
    run.do(
        "Nine and ten. One route answers although it has a guard.",
        tool(
            "workflow",
            "WorkflowAction",
            {
                "name": "diff-lists",
                "script": "compare(routes.unguarded, probe.answered)",
                "max_concurrency": 2,
            },
            result(
                "WorkflowObservation",
                "Only in probe: GET /v1/export.csv",
                name="diff-lists",
                status="completed",
            ),
            ran=12,
        ),
        llm=5.1,
    )
    run.do(
        "",
        tool(
            "ask_oracle",
            "AskOracleAction",
            {
                "question": "Why would a guard on /v1/export not cover /v1/export.csv?",
                "context": "Express, guard by exact path",
            },
            result(
                "AskOracleObservation",
                "The guard compares paths; the suffix is stripped by a "
                "later middleware, so the guard never sees /v1/export.",
            ),
            ran=9,
        ),
        llm=4.0,
    )
    probe = shell(
        run,
        "curl -s -o /dev/null -w '%{http_code}' https://staging.acme.example/v1/export.csv",
        "200",
        ran=0.8,
        risk="MEDIUM",
    )
    run.do("Seen for myself:", probe, llm=3.2)
    run.emit(
        "SecurityAnalysisEvent",
        "environment",
        {
            "analyzer": "LLMSecurityAnalyzer",
            "policy": "ConfirmRisky",
            "risks": {probe.id: "MEDIUM"},
            "details": {},
        },
    )
    run.do(
        "",
        tool(
            "vision_inspect",
            "VisionInspectAction",
            {
                "image_index": 0,
                "question": "Does the chart show calls without a login?",
                "profile_name": None,
            },
            result(
                "VisionInspectObservation",
                "About 30 a day.",
                image_index=0,
                question="Does the chart show calls without a login?",
                profile_name=None,
                model="anthropic/claude-sonnet-4-5",
                base_url=None,
                answer="About 30 a day.",
            ),
            ran=3.4,
        ),
        llm=2.9,
    )
    run.do(
        "",
        tool(
            "consult_tom",
            "ConsultTomAction",
            {"reason": "Whom to tell", "use_user_message": True, "custom_query": None},
            result(
                "ConsultTomObservation",
                "The user wants findings, not fixes.",
                suggestions="The user wants findings, not fixes.",
                confidence=0.8,
                reasoning=None,
            ),
            ran=2.2,
        ),
        llm=2.7,
    )
    run.do(
        "",
        tool(
            "sleeptime_compute",
            "SleeptimeComputeAction",
            {},
            result(
                "SleeptimeComputeObservation",
                "1 session processed.",
                message="1 session processed.",
                sessions_processed=1,
            ),
            ran=1.4,
        ),
        llm=2.2,
    )
    run.do(
        "",
        tool(
            "start_child_conversation",
            "StartChildConversationAction",
            {
                "task": "Make the guard of /v1/export cover /v1/export.csv.",
                "title": None,
                "isolation": "worktree",
            },
            result(
                "StartChildConversationObservation",
                "Started.",
                conversation_id=str(fixed_uuid("conversation", "export-guard")),
                parent_conversation_id=run.id,
                status="running",
                title=None,
                url=None,
                workspace=None,
                isolation="worktree",
            ),
            ran=1.1,
        ),
        llm=3.3,
    )
    run.do(
        "",
        tool(
            "open_in_editor",
            "MCPToolAction",
            {"data": {"path": "src/guard.ts"}},
            result("ClientToolObservation", "Opened in the editor of the user."),
            ran=0.3,
        ),
        llm=2.6,
    )
    run.emit(
        "LLMCompletionLogEvent",
        "environment",
        {
            "filename": "agent-12.json",
            "log_data": '{"messages": 31}',
            "model_name": run.model.name,
            "usage_id": "agent",
        },
    )
    run.emit("TokenEvent", "agent", {"prompt_token_ids": [101, 2023], "response_token_ids": [102]})
    run.emit(
        "ServerErrorEvent",
        "environment",
        {"code": "MCPError", "detail": "The MCP server tracker closed the connection."},
    )
    run.emit(
        "CondensationSummaryEvent",
        "environment",
        {"summary": "61 routes; 9 without a guard; /v1/export.csv slips past its guard."},
    )
    run.finish(
        "Ten of 61 endpoints answer without a login. Nine are meant to. `GET /v1/export.csv` is "
        "not: the guard compares `/v1/export` before the suffix is cut off.",
        llm=5.3,
    )
