"""What every HTML parser adapter promises. A binding gives ``document``."""

import abc

import pytest
from hypothesis import strategies as st

from cpu_stage.parsers import READ, HtmlDocument

ATTRIBUTES = ("href", "xlink:href", "rel", "lang", "name", "property", "content", "http-equiv")

PIECES = tuple(
    """
    <a\thref=1> <a\thref='2&amp;'> </a> <p> </p> <div> </div> <table> <tr> <td> </td> </table> <caption> <b> </b>
    <i\tx=1> </i> <font\tsize=1> </font> <svg> </svg> <math> </math> <mi> <foreignObject> </foreignObject> <desc>
    <title> </title> <noscript> </noscript> <script> </script> <style> </style> <select> </select> <option>
    <input> <br> </br> <base\thref=/x/> <link\trel=next\thref=n> <meta\tname=robots\tcontent=x> <area\thref=q>
    <frameset> </frameset> <frame> <noframes> </noframes> <head> </head> <body> </body> </html> <pre> </pre>
    <textarea> </textarea> <iframe> </iframe> <form> </form> <button> </button> <li> </ul> <dd> <h1> </h1> <nobr>
    <object> </object> <plaintext> <xmp> </xmp> <ruby> <rp> <rt> <hr> <image> <option/> <svg/> <p/> <![CDATA[ ]]>
    <!-- --> <!doctype> <? </ > < & &amp; &lt &#0; ' " = / x y é \U0001f600 \0 \x01 \ufeff
    """.replace("\\0", "\0").split(" ")
)
SOUP = st.lists(st.sampled_from([piece.strip("\n") for piece in PIECES if piece.strip("\n")]), max_size=30).map("".join)
"""Pages of misplaced tags and text: every insertion mode of the tree construction can be reached from them."""

ANY_TEXT = st.text(st.characters())  # lone surrogates, too


def elements(document: HtmlDocument) -> list[tuple[str | None, ...]]:
    """Return the tag of every element that is read, and its attributes of interest."""
    return [(element.tag, *map(element.attr, ATTRIBUTES)) for element in document.elements()]


class ParserSuite(abc.ABC):
    @abc.abstractmethod
    def document(self, html: str) -> HtmlDocument:
        """Parse a text with the parser under test."""

    def hrefs(self, html: str) -> list[str | None]:
        return [element.attr("href") for element in self.document(html).elements() if element.tag != "html"]

    def text(self, html: str) -> str:
        return self.document(html).text()

    # Title

    @pytest.mark.parametrize(
        ("html", "title"),
        [
            ("<title>A page</title>", "A page"),
            ("<title> as\n it  stands </title>", " as\n it  stands "),
            ("<title>a &amp; <b>b</b></title>", "a & <b>b</b>"),
            ("<title>one</title><title>two</title>", "one"),
            ("<title></title><title>two</title>", ""),
            ("<body><p>late<title>in the body</title>", "in the body"),
            ("<title>never closed", "never closed"),
            ("<title>a</titl", "a</titl"),
            ("<title>a\0b</title>", "a\ufffdb"),
            ("<svg><title>icon</title></svg><title>page</title>", "page"),
            ("<svg><title>icon</title></svg>", None),
            ("<math><title>formula</title></math>", None),
            ("<svg><foreignObject><title>page</title></foreignObject></svg>", "page"),
            ("<template><title>inert</title></template>", None),
            ("<!-- <title>comment</title> -->", None),
            ("<script><title>script</title></script>", None),
            ("<p>no title", None),
            ("", None),
        ],
    )
    def test_the_title_is_that_of_the_first_html_title_element(self, html: str, title: str | None) -> None:
        assert self.document(html).title() == title

    # Text

    @pytest.mark.parametrize(
        ("html", "text"),
        [
            ("plain", "plain"),
            ("<p>one<p>two<div>three</div>four", "one\ntwo\nthree\nfour"),
            ("a<br>b<hr>c", "a\nb\nc"),
            ("<h1>head</h1>\n\n<ul><li>a<li>b</ul>", "head\na\nb"),
            ("<dl><dt>term<dd>what it is</dl>", "term\nwhat it is"),
            ("<div><div><div></div></div></div>", ""),
            ("<div> <p> </p> &nbsp; </div>", ""),
            ("<details><summary>s</summary>d</details><dialog>e</dialog>", "s\nd\ne"),
            ("<select><option>a<option>b</select>", "a\nb"),
            ("<center>a</center>b<fieldset><legend>c</legend>d</fieldset>", "a\nb\nc\nd"),
            ("</p>a</br>b", "a\nb"),
        ],
    )
    def test_a_block_is_a_line_and_no_line_is_empty(self, html: str, text: str) -> None:
        assert self.text(html) == text

    @pytest.mark.parametrize(
        ("html", "text"),
        [
            ("  a \t b\n\nc\r\nd  ", "a b c d"),
            ("<b>a</b>b <i>c</i>\n<u> d</u>", "ab c d"),
            ("<p>a <span> b</span>  c</p>", "a b c"),
            ("a&nbsp;&nbsp;b&#x2003;c", "a b c"),
            ("long<wbr>word", "longword"),
            ("<pre>a\n  b\n\nc</pre>", "a b c"),
            ("<textarea>a\n b</textarea>", "a b"),
            ("a<p>&lt;b&gt; &copy; &#65;&#x42; &notit; &unknown;", "a\n<b> © AB ¬it; &unknown;"),
            ("<p>\U0001f600 漢字 e\u0301", "\U0001f600 漢字 e\u0301"),
        ],
    )
    def test_white_space_is_collapsed(self, html: str, text: str) -> None:
        assert self.text(html) == text

    @pytest.mark.parametrize(
        "html",
        [
            "<head><title>T</title></head>",
            "<script>var a = '<p>b</p>'</script>",
            "<style>p {}</style>",
            "<template><p>inert</template>",
            "<div><template shadowrootmode=open><p>shadow</template></div>",
            "<body><noscript>please <p>enable</noscript>",
            "<iframe>old</iframe>",
            "<noembed>old</noembed>",
            "<noframes>old</noframes>",
            "<svg><title>icon</title><style>a{}</style><script>x</script></svg>",
            "<!-- comment --><!doctype html><?php x ?></ x>",
            "<input value=v><img alt=a>",
            "<frameset><frame src=f></frameset><noframes>old</noframes>",
        ],
    )
    def test_what_a_browser_does_not_show_is_no_text(self, html: str) -> None:
        assert self.text(html) == ""

    @pytest.mark.parametrize(
        ("html", "text"),
        [
            ("x<script>a</script>y<style>b</style>z", "xyz"),
            ("x<noscript><p>no</p></noscript>y", "xy"),
            ("<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>", "漢kan"),
            ("<svg><text>drawn</text></svg> <math><mi>x</mi><mo>=</mo></math>", "drawn x="),
            ("<object>o</object><video>v</video><canvas>c</canvas><button>b</button>", "ovcb"),
            ("<svg><![CDATA[a<b>]]></svg>", "a<b>"),
            ("<xmp><b>raw</b></xmp>a", "<b>raw</b>\na"),
            ("<plaintext>to <b>the end</plaintext>", "to <b>the end</plaintext>"),
        ],
    )
    def test_what_is_within_or_beside_it_is_text(self, html: str, text: str) -> None:
        assert self.text(html) == text

    @pytest.mark.parametrize(
        ("html", "text"),
        [
            ("<table><tr><td>a<td>b<tr><th>c<td>d</table>", "a b\nc d"),
            ("<table><caption>cap</caption><thead><tr><th>h<tbody><tr><td>b</table>", "cap\nh\nb"),
            ("<table><tr><td>a<td><table><tr><td>b<td>c</table>d<tr><td>e</table>f", "a\nb c\nd\ne\nf"),
            ("<table><tr><td>a<p>b<td>c</table>", "a\nb\nc"),
            ("<table><tr><th>a<th>b<tr><th>c</table>d", "a b\nc\nd"),
            ("<table>outside<tr><td>inside</table>", "outside\ninside"),
        ],
    )
    def test_a_row_is_a_line_and_a_nested_table_has_lines_of_its_own(self, html: str, text: str) -> None:
        assert self.text(html) == text

    # Elements

    def test_elements_come_in_document_order(self) -> None:
        html = """<html lang=en><base href=/b/><link rel=next href=n><meta name=robots content=none><p><a href=1>x</a>
        <map><area href=2></map><table><tr><td><a href=3>y</a></table><noscript><a href=4>z</a></noscript>"""
        tags = ["html", "base", "link", "meta", "a", "area", "a", "a"]
        assert [tag for tag, *_ in elements(self.document(html))] == tags
        assert self.hrefs(html) == ["/b/", "n", None, "1", "2", "3", "4"]

    def test_only_elements_that_are_asked_for_come(self) -> None:
        html = "<head><script src=s></script><body><p><a href=1><img src=i><iframe src=f></iframe><form action=f>"
        assert {element.tag for element in self.document(html).elements()} <= set(READ)

    def test_every_document_has_one_html_element_which_comes_first(self) -> None:
        for html in ("", "x", "<html lang=de>", "<p><html lang=fr>", "<svg><html lang=xx></html></svg>"):
            tags = [element.tag for element in self.document(html).elements()]
            assert tags == ["html"]

    def test_attributes_of_a_late_html_tag_are_those_of_the_html_element(self) -> None:
        (root,) = self.document("<html lang=en><p>x<html lang=fr data-x=1>").elements()
        assert (root.attr("lang"), root.attr("data-x")) == ("en", "1")

    @pytest.mark.parametrize("html", ["<a href>", "<a href=''>", '<a href="" x>', "<a href = >"])
    def test_an_attribute_without_value_is_empty_not_absent(self, html: str) -> None:
        (anchor,) = [element for element in self.document(html).elements() if element.tag == "a"]
        assert (anchor.attr("href"), anchor.attr("rel")) == ("", None)

    @pytest.mark.parametrize(
        ("html", "href"),
        [
            ("<a href=a?b=1&amp;c=2>", "a?b=1&c=2"),
            ("<a href='a?b=1&copy=2&lt=3'>", "a?b=1&copy=2&lt=3"),  # HTML, 13.2.5.73: left alone before "="
            ("<a href='&copy;&#x41;&#65&notit;'>", "©AA&notit;"),
            ("<a href=1 href=2>", "1"),
            ("<A HREF='Case'>", "Case"),
            ("<A\tHREF\n=\r\n1>", "1"),
            ("<a/href=1>", "1"),
            ("<a href='a>b'>", "a>b"),
            ("<a href=a'b\"c>", "a'b\"c"),
            ("<a href=' a\n b '>", " a\n b "),
            ("<a href='a\0b'>", "a\ufffdb"),
            ("<a x='1'href=2>", "2"),
            ("<svg><a href=1>", "1"),
        ],
    )
    def test_attribute_values_are_what_the_standard_reads(self, html: str, href: str) -> None:
        assert self.hrefs(html) == [href]

    def test_a_link_of_svg_has_its_old_attribute_too(self) -> None:
        html = "<svg><a xlink:href=/old></a><a href=/new xlink:href=/old></a></svg>"
        found = [(e.attr("href"), e.attr("xlink:href")) for e in self.document(html).elements() if e.tag == "a"]
        assert found == [(None, "/old"), ("/new", "/old")]

    @pytest.mark.parametrize("name", ["base", "link", "area"])
    @pytest.mark.parametrize("outer", ["svg", "math"])
    def test_a_foreign_element_that_has_an_html_name_is_not_one(self, name: str, outer: str) -> None:
        assert self.hrefs(f"<{outer}><{name} href=1></{name}></{outer}><{name} href=2>") == ["2"]
        assert self.hrefs(f"<svg><desc><{name} href=1></desc></svg>") == ["1"]

    @pytest.mark.parametrize(
        "html",
        [
            "<template><a href=1></a><base href=2></template>",
            "<template shadowrootmode=open><a href=1></a></template>",
            "<div><template shadowrootmode=open><a href=1></a></template></div>",
            "<template><template><a href=1></a></template><a href=2></a></template>",
            "<!-- <a href=1></a> -->",
            "<script><a href=1></a></script>",
            "<style><a href=1></a></style>",
            "<textarea><a href=1></a></textarea>",
            "<title><a href=1></a></title>",
            "<iframe><a href=1></a></iframe>",
            "<noembed><a href=1></a></noembed>",
            "<noframes><a href=1></a></noframes>",
            "<xmp><a href=1></a></xmp>",
            "<plaintext><a href=1></a>",
            "<svg><![CDATA[<a href=1></a>]]></svg>",
        ],
    )
    def test_what_only_looks_like_an_element_is_none(self, html: str) -> None:
        assert self.hrefs(html) == []

    def test_only_the_template_element_of_html_is_inert(self) -> None:
        assert self.hrefs("<svg><template><a href=1></a></template></svg>") == ["1"]

    # Broken pages

    @pytest.mark.parametrize(
        ("html", "hrefs", "text"),
        [
            ("<a href=1>x<a href=2>y", ["1", "2"], "xy"),
            ("<a href=1><b>x</a>y</b>z", ["1"], "xyz"),
            ("<p><b>x<p>y</b>z", [], "x\nyz"),
            ("<a href=1><table><a href=2>x<tr><td>y", ["1", "2"], "x\ny"),
            ("<table><a href=1>x</a><tr><td>y</table>", ["1"], "x\ny"),
            ("<ul><a href=1><li>x</ul></a>y", ["1"], "x\ny"),
            ("<div><a href=1>x</div>y", ["1"], "x\ny"),
            ("<frameset><frame src=1><a href=2>x</frameset>", [], ""),
            ("x<frameset><a href=1>y", ["1"], "xy"),
            ("</body></html><a href=1>x", ["1"], "x"),
            ("</a></div></table><a href=1>x", ["1"], "x"),
            ("<a href=1", [], ""),
            ("<a href='1>x</a><p>y", [], ""),
            ("<a hr", [], ""),
            ("x<!-- never closed <a href=1>", [], "x"),
            ("<!--><a href=1>x", ["1"], "x"),
            ("<script>never closed <a href=1>", [], ""),
            ("<textarea>never <a href=1>", [], "never <a href=1>"),
            ("<>< a href=1></ a>< b", [], "<>< a href=1>< b"),
            ("<a href=1>\0x\0</a>\0", ["1"], "x"),
            ("<svg>\0</svg>&#0;&#xd800;&#x110000;&#x80;", [], "\ufffd" * 4 + "€"),
            ("<select><a href=1>x</a><option>y<div>z</select>", ["1"], "x\ny\nz"),
            ("<form><form><a href=1>x</form><input></form>", ["1"], "x"),
            # With scripting off, noscript is like any element: an open p keeps it open, and a p may end what it is in.
            ("<body><noscript><a href=1>x<p>y</noscript>z", ["1"], ""),
            ("<head><noscript><link href=1><p>x</noscript>y", ["1"], "xy"),
            ("<p>x<noscript><p>y</noscript>z", [], "x\nyz"),
        ],
    )
    def test_broken_html_is_read_as_a_browser_reads_it(self, html: str, hrefs: list[str], text: str) -> None:
        assert list(dict.fromkeys(self.hrefs(html))) == hrefs
        assert self.text(html) == text

    @pytest.mark.parametrize("tag", ["div", "b", "span", "a href=1", "ul><li", "table><tr><td", "svg", "svg><desc"])
    def test_nothing_is_lost_in_a_deep_page(self, tag: str) -> None:
        html = "".join(f"<{tag}>{n} <a href=/{n}></a> " for n in range(1_000))
        found = list(dict.fromkeys(self.hrefs(html)))
        assert [href for href in found if href != "1"] == [f"/{n}" for n in range(1_000)]
        assert self.text(html).split() == [str(n) for n in range(1_000)]

    def test_any_depth_gives_a_document(self) -> None:
        for tag in ("<div>", "<b>", "<a href=x>", "<svg>", "<template>", "<table><td>", "</p>", "<ul><li>"):
            document = self.document(tag * 5_000)
            assert document.title() is None
            assert document.text() == ""
            assert sum(1 for _ in document.elements()) >= 1
