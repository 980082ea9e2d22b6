"""The provider of a model, under the name that OpenTelemetry gives it."""

from __future__ import annotations

UNKNOWN = "unknown"

_NAMES = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
"""Where it is not the one of LiteLLM."""


def provider(model: str) -> str:
    """By what stands before the name of the model: who serves `claude-…` alone is not told."""
    first, slash, _ = model.partition("/")
    return _NAMES.get(first, first) if slash and first else UNKNOWN
