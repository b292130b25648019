"""Sources, their order, and the lines that say what is wrong."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from crawler.config import Config, Loaded, load
from crawler.errors import ConfigError


def problems(
    files: Sequence[Path] = (),
    env: Mapping[str, str] | None = None,
    sets: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(files, env or {}, sets, overrides or {})
    return str(caught.value).split("\n")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def load_set(*sets: str) -> Loaded:
    return load([], {}, sets, {})


def test_without_sources_everything_is_default() -> None:
    loaded = load([], {}, [], {})
    assert loaded.config == Config()
    assert set(loaded.origins.values()) == {"default"}
    assert {"seeds", "fetch.timeout.total", "cpu.workers", "observe.progress"} <= loaded.origins.keys()


def test_each_source_outranks_the_one_before(tmp_path: Path) -> None:
    job = write(
        tmp_path / "config.yaml", "fetch: {retries: 1, per_host: 1, backoff: 1s, concurrency: 1, max_redirects: 1}"
    )
    file = write(tmp_path / "crawl.yaml", "fetch:\n  retries: 1\n  per_host: 2\n  backoff: 2s\n  concurrency: 2\n")
    env = {"CRAWLER_FETCH__PER_HOST": "3", "CRAWLER_FETCH__BACKOFF": "3s", "CRAWLER_FETCH__CONCURRENCY": "3"}
    loaded = load([job, file], env, ["fetch.backoff=4s", "fetch.concurrency=4", "limits.pages=4"], {"limits.pages": 5})
    fetch = loaded.config.fetch
    assert (fetch.max_redirects, fetch.retries, fetch.per_host, fetch.backoff, fetch.concurrency) == (1, 1, 3, 4.0, 4)
    assert loaded.config.limits.pages == 5
    origins = {key: origin for key, origin in loaded.origins.items() if origin != "default"}
    assert origins == {
        "fetch.max_redirects": f"{job}:1",
        "fetch.retries": f"{file}:2",
        "fetch.per_host": "environment CRAWLER_FETCH__PER_HOST",
        "fetch.backoff": "--set",
        "fetch.concurrency": "--set",
        "limits.pages": "--max-pages",
    }


def test_the_last_set_of_a_key_counts() -> None:
    assert load_set("cpu.batch=3", "cpu.batch=4").config.cpu.batch == 4


def test_sections_merge_but_values_are_replaced_whole(tmp_path: Path) -> None:
    file = write(tmp_path / "c.yaml", "fetch: {headers: {A: x, B: x}, retries: 7}\nscope: {exclude: [a, b]}")
    config = load([file], {}, ["fetch.headers={C: y}", "scope.exclude=[c]", "fetch={per_host: 9}"], {}).config
    assert config.fetch.headers == {"C": "y"}
    assert config.scope.exclude == ("c",)
    assert (config.fetch.retries, config.fetch.per_host) == (7, 9)


def test_an_empty_section_changes_nothing(tmp_path: Path) -> None:
    assert load([write(tmp_path / "c.yaml", "fetch:\n  # retries: 1\n")], {}, [], {}).config == Config()


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "null\n", "\ufeff"])
def test_an_empty_file_changes_nothing(tmp_path: Path, text: str) -> None:
    assert load([write(tmp_path / "c.yaml", text)], {}, [], {}).config == Config()


def test_set_takes_yaml_values() -> None:
    config = load_set(
        "analyzers=[]", "limits.seconds=2m", "fetch.cookies=true", "fetch.contact=https://x.org/?a=b"
    ).config
    assert (config.analyzers, config.limits.seconds, config.fetch.cookies) == ((), 120.0, True)
    assert config.fetch.contact == "https://x.org/?a=b"


def test_options_of_the_command_line_have_names_of_their_own() -> None:
    overrides: dict[str, Any] = {"seeds": ["http://h/"], "limits.depth": 2, "observe.progress": "none"}
    origins = load([], {}, [], overrides).origins
    assert [origins[key] for key in overrides] == ["command line", "--max-depth", "--progress"]


# Errors


def test_an_unknown_key_names_file_line_and_the_nearest(tmp_path: Path) -> None:
    file = write(tmp_path / "crawl.yaml", "\n\nfetch:\n  retries: 1\n  concurency: 3\n")
    (line,) = problems([file])
    assert line.startswith(
        f"{file}:5:3: fetch.concurency: unknown key; did you mean fetch.concurrency? (accepted: mode, "
    )
    assert "per_host" in line


def test_a_key_of_another_section_is_found(tmp_path: Path) -> None:
    lines = problems([write(tmp_path / "c.yaml", "per_host: 3\nfetch.per_host: 3\n")])
    assert "did you mean fetch.per_host?" in lines[0]
    assert "did you mean fetch: {per_host: ...}?" in lines[1]


def test_all_problems_of_all_sources_come_at_once(tmp_path: Path) -> None:
    file = write(tmp_path / "c.yaml", "fetch:\n  retries: x\n  cookies: no\nnope: 1\n")
    missing = tmp_path / "missing.yaml"
    env = {"CRAWLER_FETCH__NOPE": "1", "CRAWLER_CPU__BATCH": "", "CRAWLER_CPU__PAGE_MEMORY": "{"}
    lines = problems([file, missing], env, ["x", "parse.where=there"], {"limits.depth": -1})
    assert sorted(lines) == sorted(
        [
            next(line for line in lines if line.startswith(f"{file}:4:1: nope: unknown key")),
            f"{missing}: cannot be read: No such file or directory",
            next(
                line
                for line in lines
                if line.startswith("environment CRAWLER_CPU__PAGE_MEMORY: cpu.page_memory: is not YAML")
            ),
            "environment CRAWLER_CPU__BATCH: cpu.batch: has no value; expected a YAML value, such as null",
            next(line for line in lines if line.startswith("environment CRAWLER_FETCH__NOPE: fetch.nope: unknown key")),
            "--set: expected key.path=value, got 'x'",
            f"{file}:2:3: fetch.retries: expected a whole number, got 'x'",
            f"{file}:3:3: fetch.cookies: expected true or false, got 'no'",
            "--set: parse.where: expected 'auto', 'loop' or 'worker', got 'there'",
            "--max-depth: limits.depth: expected at least 0, got -1",
        ]
    )


def test_the_line_is_that_of_the_item(tmp_path: Path) -> None:
    file = write(tmp_path / "c.yaml", "seeds:\n  - http://a.example/\n  - a.example\nscope:\n  exclude: [a, '(']\n")
    seed, pattern = problems([file])
    assert seed.startswith(f"{file}:3:5: seeds[1]: expected an absolute http or https URL")
    assert seed.endswith("got 'a.example'")
    assert pattern.startswith(f"{file}:5:16: scope.exclude[1]: expected a regular expression (")


def test_a_value_that_is_overridden_need_not_be_right(tmp_path: Path) -> None:
    file = write(tmp_path / "c.yaml", "cpu: {batch: many}")
    assert load([file], {}, ["cpu.batch=2"], {}).config.cpu.batch == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("fetch: 3", "1:1: fetch: expected a mapping (accepted: mode, "),
        (
            "fetch: {timeout: [1]}",
            "1:9: fetch.timeout: expected a mapping (accepted: total, connect, first_byte), got a list",
        ),
        ("seeds: http://h/", "1:1: seeds: expected a list such as [a, b], got 'http://h/'"),
        ("fetch: {user_agent: 3}", "1:9: fetch.user_agent: expected text (a number needs quotes), got 3"),
        ("cpu: {batch: 1.0}", "1:7: cpu.batch: expected a whole number, got 1.0"),
        ("cpu: {batch: true}", "1:7: cpu.batch: expected a whole number, got true"),
        ("cpu: {batch: 100000}", "1:7: cpu.batch: expected at most 1000, got 100000"),
        (
            "parse: {max_links: 9999999999999}",
            "1:9: parse.max_links: expected at most 1000000000000, got 9999999999999",
        ),
        ("cpu: {batch: null}", "1:7: cpu.batch: expected a whole number, got null"),
        ("limits: {seconds: 0}", "1:10: limits.seconds: expected more than 0, got 0"),
        ("fetch: {headers: [a]}", "1:9: fetch.headers: expected a mapping such as {key: value}"),
    ],
)
def test_what_would_be_accepted(tmp_path: Path, text: str, line: str) -> None:
    file = write(tmp_path / "c.yaml", text)
    assert problems([file])[0].startswith(f"{file}:{line}")


def test_a_file_that_is_no_mapping(tmp_path: Path) -> None:
    file = write(tmp_path / "c.yaml", "- a\n")
    (line,) = problems([file])
    assert line.startswith(f"{file}: expected a mapping (accepted: seeds, scope, ")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_bytes(b"seeds: [\xff]")
    assert problems([tmp_path / "c.yaml"]) == [f"{tmp_path}/c.yaml: is not UTF-8 text"]


def test_a_directory_is_no_file(tmp_path: Path) -> None:
    assert problems([tmp_path]) == [f"{tmp_path}: cannot be read: Is a directory"]


@pytest.mark.parametrize("text", ["=1", "", "fetch.retries", " =x"])
def test_set_without_key_or_value(text: str) -> None:
    assert problems(sets=[text]) == [f"--set: expected key.path=value, got {text!r}"]


def test_no_path_leads_into_a_value() -> None:
    (line,) = problems(sets=["fetch.headers.A=x"])
    assert line == "--set: fetch.headers.A: unknown key; fetch.headers is one value, to be set whole"


def test_foreign_variables_are_ignored() -> None:
    env = {
        "CRAWLER_": "",
        "CRAWLER_HOME": "",
        "CRAWLER_HOME__X": "1",
        "FETCH__RETRIES": "1",
        "crawler_fetch__retries": "1",
    }
    assert load([], env, [], {}).config == Config()


def test_an_argument_that_is_no_text_cannot_be_a_seed() -> None:
    (line,) = problems(overrides={"seeds": ["http://h/\udcff"]})
    assert line.startswith("command line: seeds[0]: expected an absolute http")
    assert line.endswith(r"got 'http://h/\udcff'")


def test_lines_stay_lines_whatever_a_key_holds(tmp_path: Path) -> None:
    file = write(tmp_path / "c.yaml", '"a\\nb\\e[31m\\u2028": 1\n')
    (line,) = problems([file])
    assert line.isprintable()
    assert line.startswith(f"{file}:1:1: a\\nb\\x1b[31m\\u2028: unknown key (accepted: ")


# Two keys that do not go together: the one that the user set is to blame


def test_a_timeout_is_within_the_total(tmp_path: Path) -> None:
    file = write(tmp_path / "c.yaml", "fetch:\n  timeout:\n    connect: 2m\n    first_byte: 3m\n")
    assert problems([file]) == [
        f"{file}:3:5: fetch.timeout.connect: 120s is longer than total; expected at most 60s",
        f"{file}:4:5: fetch.timeout.first_byte: 180s is longer than total; expected at most 60s",
    ]


def test_a_total_below_the_defaults_is_to_blame_itself() -> None:
    (line,) = problems(sets=["fetch.timeout.total=15s"])
    assert line == "--set: fetch.timeout.first_byte: 20s is longer than total; expected at most 15s"


def test_backoff_has_room_to_grow() -> None:
    (line,) = problems(sets=["fetch.backoff=2m"])
    assert line == "--set: fetch.backoff_max: 60s is less than backoff; expected at least 120s"


def test_the_mode_list_needs_hosts() -> None:
    assert problems(sets=["scope.mode=list"]) == [
        "--set: scope.hosts: is empty, but scope.mode is list; expected at least one host"
    ]
    assert load_set("scope.mode=list", "scope.hosts=[a.example]").config.scope.hosts == ("a.example",)


def test_more_requests_per_host_than_in_all_are_no_error() -> None:
    assert load_set("fetch.per_host=100", "fetch.concurrency=2").config.fetch.per_host == 100
