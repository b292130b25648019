"""One form per page: every spelling, no other page, and always a URL that a parser leaves as it is."""

import subprocess
import sys
from urllib.parse import parse_qsl

import ada_url
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.urls import (
    TRACKING_PARAMETERS,
    CanonicalForm,
    canonicalize,
    has_other_scheme,
    host_key,
    hostname,
    join,
    normalise,
    origin,
    path_and_query,
    registrable_domain,
    serialise,
)

PLAIN = CanonicalForm(strip_tracking=())
DEFAULT = CanonicalForm()
SORTED = CanonicalForm(sort_query=True)
FORMS = st.sampled_from([PLAIN, DEFAULT, SORTED, CanonicalForm(sort_query=True, strip_tracking=("a*", "%25"))])

ANY_TEXT = st.text(st.characters())  # lone surrogates, too
HOSTS = st.sampled_from(
    [
        "example.com",
        "EX.com.",
        "a..",
        ".",
        "1.2.3",
        "0x7f.1",
        "[::1]",
        "[::FFFF:1.2.3.4]",
        "é.fr",
        "a_b",
        "x:80",
        "y.:81",
    ]
)
TAILS = st.text("/?#.%&=@:^|~+ \\'\"<>[]{}aA2eE5fé", max_size=30)
URL_LIKE = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "HTTPS", "https"]),
    st.sampled_from(["", "u:p@", "@", "a%40b@"]),
    HOSTS,
    st.one_of(st.just(""), st.builds("{}{}".format, st.sampled_from(["/", "?", "\\"]), TAILS)),
)
URLS = st.one_of(URL_LIKE, ANY_TEXT)


@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTP://EXAMPLE.com:80/", "http://example.com/"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("https://example.com:80/a", "https://example.com:80/a"),
        ("http://example.com:8080/a", "http://example.com:8080/a"),
        ("http://example.com./a", "http://example.com/a"),
        ("http://example.com.:81/a", "http://example.com:81/a"),
        ("  http://example.com/a\n", "http://example.com/a"),
        ("http:\\\\example.com\\a", "http://example.com/a"),
        ("http://user:secret@example.com/a", "http://example.com/a"),
        ("http://@example.com/@a", "http://example.com/@a"),
        ("http://u@[::1]:81/@a", "http://[::1]:81/@a"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://BÜCHER.example/", "http://xn--bcher-kva.example/"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://[0:0::1]/", "http://[::1]/"),
        ("http://example.com/a/../b/./c", "http://example.com/b/c"),
        ("http://example.com/a/%2E%2e/b", "http://example.com/b"),
        ("http://example.com/a//b", "http://example.com/a//b"),
        ("http://example.com/%7Euser/%61%2D", "http://example.com/~user/a-"),
        ("http://example.com/%c3%a9%2f", "http://example.com/%C3%A9%2F"),
        ("http://example.com/é", "http://example.com/%C3%A9"),
        ("http://example.com/a^b", "http://example.com/a%5Eb"),
        ("http://example.com/100%", "http://example.com/100%25"),
        ("http://example.com/%%32e/%zz", "http://example.com/%252e/%25zz"),
        ("http://example.com/%252e", "http://example.com/%252e"),
        ("http://example.com/#part", "http://example.com/"),
        ("http://example.com/?#part", "http://example.com/"),
        ("http://example.com/?", "http://example.com/"),
        ("http://example.com/??", "http://example.com/??"),
        ("http://example.com/?a=%7e&b=%c3%a9&c=^", "http://example.com/?a=~&b=%C3%A9&c=^"),
        ("http://example.com/?b=1&&a=2&", "http://example.com/?b=1&&a=2&"),
        ("http://example.com/?a=b?c", "http://example.com/?a=b?c"),
        ("http://example.com/A?B=C", "http://example.com/A?B=C"),
    ],
)
def test_one_form_for_each_page(spelling: str, canonical: str) -> None:
    assert canonicalize(spelling, PLAIN) == canonical


@pytest.mark.parametrize(
    "text",
    [
        *("", "foo", "/a", "//example.com/", "http://", "http://[::1", "http://a b/", "http://1.2.3.999/"),
        *(
            "http://./",
            "http://a../",
            "http://ex%2Fample.com/",
            "http://example.com:99999/",
            "http://\udc80/",
        ),
        *(
            "mailto:a@example.com",
            "javascript:void(0)",
            "ftp://example.com/",
            "data:text/html,x",
            "file:///etc/passwd",
        ),
    ],
)
def test_what_is_no_http_url_has_no_form(text: str) -> None:
    assert canonicalize(text, DEFAULT) is None


@pytest.mark.parametrize(
    ("query", "plain", "default", "in_order"),
    [
        ("?b=2&a=1", "?b=2&a=1", "?b=2&a=1", "?a=1&b=2"),
        ("?b=2&a=2&b=1&a=1", "?b=2&a=2&b=1&a=1", "?b=2&a=2&b=1&a=1", "?a=2&a=1&b=2&b=1"),
        ("?utm_source=x", "?utm_source=x", "", ""),
        (
            "?z=1&UTM_Medium=x&gclid=1&y=1&fbclid",
            "?z=1&UTM_Medium=x&gclid=1&y=1&fbclid",
            "?z=1&y=1",
            "?y=1&z=1",
        ),
        ("?%75tm_source=x&a", "?utm_source=x&a", "?a", "?a"),
        (
            "?gclids=1&xgclid=2&utm=3",
            "?gclids=1&xgclid=2&utm=3",
            "?gclids=1&xgclid=2&utm=3",
            "?gclids=1&utm=3&xgclid=2",
        ),
        ("?a=gclid&&b", "?a=gclid&&b", "?a=gclid&b", "?a=gclid&b"),
        ("?&", "?&", "", ""),
    ],
)
def test_queries_take_the_form_that_was_chosen(query: str, plain: str, default: str, in_order: str) -> None:
    forms = {PLAIN: plain, DEFAULT: default, SORTED: in_order}
    for form, expected in forms.items():
        assert canonicalize(f"http://example.com/{query}", form) == f"http://example.com/{expected}"


def test_names_of_tracking_parameters_are_checked() -> None:
    for pattern in ("", "a*b", "*a"):
        with pytest.raises(ValueError, match="tracking parameter"):
            CanonicalForm(strip_tracking=(pattern,))


@settings(derandomize=True, deadline=None, max_examples=400)
@given(URLS, FORMS)
def test_the_canonical_form_is_its_own_canonical_form(url: str, form: CanonicalForm) -> None:
    canonical = canonicalize(url, form)
    if canonical is not None:
        assert canonicalize(canonical, form) == canonical
        assert normalise(canonical, form) == canonical


@settings(derandomize=True, deadline=None, max_examples=400)
@given(URLS, FORMS)
def test_a_parser_of_the_standard_leaves_the_canonical_form_as_it_is(url: str, form: CanonicalForm) -> None:
    canonical = canonicalize(url, form)
    if canonical is not None:
        oracle = ada_url.URL(canonical)
        assert oracle.href == canonical
        assert (oracle.username, oracle.password, oracle.hash) == ("", "", "")
        assert host_key(canonical) == oracle.host
        assert hostname(host_key(canonical)) == oracle.hostname
        assert origin(canonical) == oracle.origin
        assert path_and_query(canonical) == oracle.pathname + oracle.search


@settings(derandomize=True, deadline=None, max_examples=400)
@given(URLS, FORMS)
def test_links_that_are_serialised_already_need_no_parse(url: str, form: CanonicalForm) -> None:
    href = serialise(url)
    assert canonicalize(url, form) == (None if href is None else normalise(href, form))


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.text("ab/=?%é+ 1", min_size=1, max_size=6), max_size=6))
def test_sorting_and_stripping_keep_every_other_parameter(names: list[str]) -> None:
    query = "&".join(f"{name.replace('%', '%25').replace('+', '%2B')}=v" for name in names)
    canonical = canonicalize(f"http://example.com/?{query}&utm_source=x", SORTED)
    assert canonical is not None
    kept = parse_qsl(canonical.partition("?")[2], keep_blank_values=True)
    expected = parse_qsl(query, keep_blank_values=True)
    assert sorted(kept) == sorted(expected)


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """Return a page's canonical URL and another spelling of it."""
    segments = draw(st.lists(st.text("abcXYZ019-_~", min_size=1, max_size=5), max_size=4))
    query = draw(st.text("abcXYZ019-_~", max_size=5))
    canonical = f"https://example.com/{'/'.join(segments)}{'?' if query else ''}{query}"
    path = "".join(
        f"{draw(st.sampled_from(['', './', '%2E/', 'x/../', 'x/%2e./']))}{draw(escaped(s))}/" for s in segments
    )
    authority = draw(st.sampled_from(["", "me@", "me:pw@"])) + draw(
        st.sampled_from(["example.com", "EXAMPLE.COM", "example.com.", "ex%61mple.com:443", "example.com:0443"])
    )
    tail = f"?{draw(escaped(query))}" if query else draw(st.sampled_from(["", "?"]))
    fragment = draw(st.sampled_from(["", "#", "#top", "#?a=1"]))
    return canonical, f"hTTps://{authority}/{path[:-1]}{tail}{fragment}"


def escaped(text: str) -> st.SearchStrategy[str]:
    """Return the text with some of its characters escaped, in both cases of the digits."""
    spelling = [st.sampled_from([c, f"%{ord(c):02x}", f"%{ord(c):02X}"]) for c in text]
    return st.tuples(*spelling).map("".join)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(spellings(), FORMS)
def test_all_spellings_of_a_page_have_one_form(pair: tuple[str, str], form: CanonicalForm) -> None:
    page, spelling = pair
    assert canonicalize(spelling, form) == canonicalize(page, form)
    assert canonicalize(page, PLAIN) == page


@pytest.mark.parametrize(
    ("reference", "target"),
    [
        ("/b", "http://example.com/b"),
        ("../c?d", "http://example.com/c?d"),
        ("//other.example/", "http://other.example/"),
        ("?q", "http://example.com/x/y?q"),
        ("", "http://example.com/x/y?z"),
        ("https://other.example", "https://other.example/"),
        ("http://[", None),
        ("mailto:a@b", None),
        ("\udc80", None),
    ],
)
def test_references_resolve_as_in_browsers(reference: str, target: str | None) -> None:
    assert join("http://example.com/x/y?z", reference) == target


@settings(derandomize=True, deadline=None, max_examples=300)
@given(URLS, URLS)
def test_no_text_raises(first: str, second: str) -> None:
    joined = join(first, second)
    assert joined is None or serialise(joined) is not None
    assert not (has_other_scheme(first) and serialise(first) is not None)
    assert isinstance(registrable_domain(first), str)


def test_other_schemes_are_told_from_garbage() -> None:
    assert has_other_scheme("mailto:a@example.com")
    assert has_other_scheme("ftp://example.com/")
    assert not has_other_scheme("http://example.com/")
    assert not has_other_scheme("http://[")
    assert not has_other_scheme("nothing")


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.example.com", "example.com"),
        ("www.example.com:8080", "example.com"),
        ("example.com", "example.com"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("co.uk", "co.uk"),
        ("a.me.github.io", "me.github.io"),
        ("www.xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai"),
        ("a.b.some-unknown-tld", "b.some-unknown-tld"),
        ("localhost", "localhost"),
        ("localhost:8000", "localhost"),
        ("127.0.0.1:8000", "127.0.0.1"),
        ("[::1]:8000", "[::1]"),
    ],
)
def test_the_registrable_domain_is_one_label_more_than_the_public_suffix(host: str, domain: str) -> None:
    assert registrable_domain(host) == domain


def test_the_suffix_list_is_loaded_by_need_only() -> None:
    code = "import sys, crawler.urls, crawler.scope; print('publicsuffixlist' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"


def test_every_known_tracking_parameter_goes() -> None:
    names = [name.replace("*", "x") for name in TRACKING_PARAMETERS]
    url = "http://example.com/?" + "&".join(f"{name}=1" for name in names)
    assert canonicalize(url, DEFAULT) == "http://example.com/"
