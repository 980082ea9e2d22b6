"""Lines of OTLP JSON as protobuf, which some receivers take alone. Its library is an extra."""

from __future__ import annotations

import base64
import importlib
import json
from collections.abc import Callable

from oh_tui.text.problem import Problem

_IDS = ("traceId", "spanId", "parentSpanId")
"""In OTLP JSON they are hexadecimal, in the JSON of protobuf base64."""


def encoder() -> Callable[[str], bytes]:
    """What makes of a line an `ExportTraceServiceRequest`. One after the other they are one, as all
    fields of it repeat. Raises Problem without the library."""
    try:
        schema = importlib.import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
        json_format = importlib.import_module("google.protobuf.json_format")
    except ImportError as error:
        raise Problem(
            "opentelemetry-proto, which writes protobuf, is not installed",
            "uv tool install '.[otlp]', or pip install 'oh-tui[otlp]'",
        ) from error

    def encoded(line: str) -> bytes:
        request = json.loads(line)
        for sent in request["resourceSpans"]:
            for span in sent["scopeSpans"][0]["spans"]:
                for name in filter(span.get, _IDS):
                    span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
        message = json_format.ParseDict(request, schema.ExportTraceServiceRequest())
        return bytes(message.SerializeToString())

    return encoded
