import itertools
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cpu_stage.analyzers import BUILT_IN
from cpu_stage.loading import AnalyzerError, AnalyzerSpec, check, libraries, load
from cpu_stage.types import Needs, Page

PAGE = Page("http://127.0.0.1/", "text/html", "utf-8", "Title", text="Some text")
_numbers = itertools.count()

Module = Callable[[str], str]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Module]:
    """Write a user's module and return its name."""
    monkeypatch.syspath_prepend(tmp_path)
    written = []

    def write(source: str) -> str:
        name = f"user_module_{next(_numbers)}"
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        written.append(name)
        return name

    yield write
    for name in written:
        sys.modules.pop(name, None)


def spec(target: str, **options: object) -> AnalyzerSpec:
    return AnalyzerSpec("mine", target, options)  # type: ignore[arg-type]  # tests pass what JSON cannot


def failure(bad: AnalyzerSpec) -> str:
    """Return the message, which is one line and the same in the crawler as in the worker."""
    with pytest.raises(AnalyzerError) as at_check:
        check(bad)
    with pytest.raises(AnalyzerError) as at_load:
        load(bad)
    assert str(at_check.value) == str(at_load.value)
    assert "\n" not in str(at_check.value)
    return str(at_check.value)


def test_any_function_of_a_page_is_an_analyzer(module: Module) -> None:
    name = module("def analyze(page):\n    return {'length': len(page.text)}\n")
    loaded = load(spec(f"{name}:analyze"))
    assert (loaded.name, loaded.call(PAGE), loaded.needs) == ("mine", {"length": 9}, Needs.ALL)


def test_a_function_gets_its_options_as_keywords(module: Module) -> None:
    name = module("def analyze(page, *, factor=1):\n    return {'length': len(page.text) * factor}\n")
    assert load(spec(f"{name}:analyze", factor=3)).call(PAGE) == {"length": 27}
    assert load(spec(f"{name}:analyze")).call(PAGE) == {"length": 9}


def test_a_function_may_take_any_option(module: Module) -> None:
    name = module("def analyze(page, **options):\n    return options\n")
    assert load(spec(f"{name}:analyze", a=1, b=[2])).call(PAGE) == {"a": 1, "b": [2]}


def test_a_class_is_made_once_per_worker_and_never_by_a_check(module: Module) -> None:
    name = module(
        "made = []\n"
        "class Count:\n"
        "    def __init__(self, start):\n"
        "        made.append(self)\n"
        "        self.count = start\n"
        "    def __call__(self, page):\n"
        "        self.count += 1\n"
        "        return {'count': self.count}\n"
    )
    target = spec(f"{name}:Count", start=10)
    check(target)
    assert sys.modules[name].made == []
    loaded = load(target)
    assert [loaded.call(PAGE), loaded.call(PAGE)] == [{"count": 11}, {"count": 12}]
    assert len(sys.modules[name].made) == 1


def test_needs_and_libraries_are_read_from_the_function(module: Module) -> None:
    library = module("")
    name = module(
        "from cpu_stage.types import Needs\n"
        "def analyze(page):\n    return {}\n"
        "analyze.needs = Needs.TEXT | Needs.META\n"
        f"analyze.libraries = ('{library}',)\n"
    )
    target = spec(f"{name}:analyze")
    assert check(target) == Needs.TEXT | Needs.META
    assert libraries(target) == (library,)
    assert library not in sys.modules
    assert load(target).needs == Needs.TEXT | Needs.META
    assert library in sys.modules


def test_needs_of_another_type_are_refused(module: Module) -> None:
    name = module("def analyze(page):\n    return {}\nanalyze.needs = 'text'\n")
    assert "its needs are 'text'" in failure(spec(f"{name}:analyze"))


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_analyzers_pass_the_check(name: str) -> None:
    assert check(AnalyzerSpec(name, BUILT_IN[name])) in {Needs.TEXT, Needs.HTML}


def test_a_spec_survives_the_way_to_a_worker() -> None:
    original = spec("some.module:attr", option=[1, {"a": None}])
    assert pickle.loads(pickle.dumps(original)) == original


def test_an_unknown_name_is_answered_with_the_built_in_ones() -> None:
    message = failure(spec("langauge"))
    assert "did you mean 'language'?" in message
    assert all(name in message for name in BUILT_IN)
    assert "package.module:attr" in message


@pytest.mark.parametrize("target", [":attr", "module:", ""])
def test_a_target_without_module_or_attribute_is_refused(target: str) -> None:
    assert "package.module:attr" in failure(spec(target))


@pytest.mark.parametrize("name", ["no_such_module", "no_such.module", "folder/file.py", "cpu_stage.no_such"])
def test_a_missing_module_is_named(name: str) -> None:
    message = failure(spec(f"{name}:analyze"))
    assert "there is no module" in message
    assert "current directory" in message


def test_a_module_that_misses_another_one_is_not_called_missing(module: Module) -> None:
    name = module("import no_such_dependency\n")
    message = failure(spec(f"{name}:analyze"))
    assert f"importing {name} failed: ModuleNotFoundError: No module named 'no_such_dependency'" in message


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("def analyze(page:\n", "SyntaxError"),
        ("1 / 0\n", "ZeroDivisionError"),
        ("raise SystemExit('bye')\n", "SystemExit: bye"),
    ],
)
def test_a_module_that_fails_when_imported_says_why(module: Module, source: str, error: str) -> None:
    assert error in failure(spec(f"{module(source)}:analyze"))


def test_ctrl_c_while_importing_passes_through(module: Module) -> None:
    name = module("raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        check(spec(f"{name}:analyze"))


def test_a_missing_attribute_is_answered_with_close_ones(module: Module) -> None:
    name = module("def analyze(page): ...\n\ndef other(page): ...\n")
    assert "has no 'analyse'; did you mean 'analyze'?" in failure(spec(f"{name}:analyse"))
    assert "it has analyze, other" in failure(spec(f"{name}:xyz"))
    assert "nothing that can be called" in failure(spec(f"{module('')}:xyz"))


@pytest.mark.parametrize(
    "source",
    ["thing = 3\n", "class thing: ...\n"],
)
def test_what_cannot_be_called_is_refused(module: Module, source: str) -> None:
    assert "cannot be called; a function of one page is expected" in failure(spec(f"{module(source)}:thing"))


@pytest.mark.parametrize(
    "source",
    ["async def thing(page): ...\n", "class thing:\n    async def __call__(self, page): ...\n"],
)
def test_what_is_async_is_refused(module: Module, source: str) -> None:
    assert "is async" in failure(spec(f"{module(source)}:thing"))


@pytest.mark.parametrize("source", ["def thing(): ...\n", "def thing(page, other): ...\n"])
def test_a_function_that_does_not_take_one_page_is_refused(module: Module, source: str) -> None:
    assert "cannot be called as thing(page)" in failure(spec(f"{module(source)}:thing"))


def test_a_missing_option_of_a_class_is_named(module: Module) -> None:
    name = module("class Thing:\n    def __init__(self, model): ...\n    def __call__(self, page): ...\n")
    assert "missing a required argument: 'model'" in failure(spec(f"{name}:Thing"))


def test_an_unknown_option_is_answered_with_the_known_ones(module: Module) -> None:
    name = module("def analyze(page, factor=1, offset=0): ...\n\ndef plain(page): ...\n")
    message = failure(spec(f"{name}:analyze", facter=2))
    assert "there is no option 'facter'; did you mean 'factor'?; it takes factor, offset" in message
    assert "it takes no options" in failure(spec(f"{name}:plain", factor=2))
    assert "there is no option 'page'" in failure(spec(f"{name}:analyze", page=2))


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("content", {"formt": "text"}, "did you mean 'format'?"),
        ("content", {"format": "pdf"}, "format is 'pdf'; text or markdown is expected"),
        ("content", {"format": ["text"]}, "text or markdown is expected"),
        ("content", {"metadata": "no"}, "true or false is expected"),
        ("content", {"max_characters": 0}, "at least 1"),
        ("content", {"max_nodes": -1}, "at least 0"),
        ("language", {"min_confidence": 2}, "from 0 to 1"),
        ("language", {"min_confidence": "high"}, "from 0 to 1"),
        ("readability", {"language": "English"}, "an ISO 639-1 code such as 'en'"),
        ("keywords", {"language": 3}, "an ISO 639-1 code such as 'en'"),
        ("keywords", {"count": True}, "at least 1"),
        ("keywords", {"count": "many"}, "at least 1"),
        ("structured", {"max_values": None}, "at least 1"),
        ("fingerprint", {"bits": 128}, "it takes no options"),
    ],
)
def test_bad_options_of_a_built_in_are_found_before_a_worker_starts(
    name: str, options: dict[str, object], expected: str
) -> None:
    assert expected in failure(AnalyzerSpec(name, BUILT_IN[name], options))  # type: ignore[arg-type]  # as above


def test_a_constructor_that_fails_is_an_error_of_one_line(module: Module) -> None:
    name = module(
        "class Thing:\n"
        "    def __init__(self):\n"
        "        raise OSError('no model\\nat all')\n"
        "    def __call__(self, page): ...\n"
    )
    with pytest.raises(AnalyzerError, match=r"^mine: OSError: no model at all$"):
        load(spec(f"{name}:Thing"))


def test_a_library_that_is_not_there_is_named_when_the_worker_starts(module: Module) -> None:
    name = module("def analyze(page): ...\nanalyze.libraries = ('no_such_library',)\n")
    assert check(spec(f"{name}:analyze")) == Needs.ALL
    with pytest.raises(AnalyzerError, match="there is no module 'no_such_library'"):
        load(spec(f"{name}:analyze"))
