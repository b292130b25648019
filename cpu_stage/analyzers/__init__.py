"""The built-in analyzers by name. Importing this, or their modules, imports none of their libraries."""

from collections.abc import Mapping

BUILT_IN: Mapping[str, str] = {
    "content": "cpu_stage.analyzers.content:Content",
    "language": "cpu_stage.analyzers.language:Language",
    "keywords": "cpu_stage.analyzers.keywords:Keywords",
    "fingerprint": "cpu_stage.analyzers.fingerprint:Fingerprint",
    "readability": "cpu_stage.analyzers.readability:Readability",
    "structured": "cpu_stage.analyzers.structured:Structured",
}
"""Name in a configuration and in records → ``package.module:attr``."""
