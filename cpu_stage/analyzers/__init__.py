"""The built-in analyzers by name; nothing is imported before a worker loads one."""

from collections.abc import Mapping

BUILT_IN: Mapping[str, str] = {
    "content": "cpu_stage.analyzers.content:content",
    "language": "cpu_stage.analyzers.language:language",
}
