from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtGui import QImage, QTextBlock, QTextDocument

from playground.ui.chat.formats import Formats
from playground.ui.chat.highlight import Highlighter
from playground.ui.chat.markdown import MarkdownDocument
from playground.ui.chat.splitter import LINE_MAX, TABLE_ROWS
from playground.ui.frame_clock import FrameClock
from playground.ui.theme import Theme

SAMPLES = {
    "paragraphs": "One *two* **three**.\nSoft\n\nNext `code` ~~gone~~ [l](https://a.b/c)\n\n\nLast",
    "headings": "# One\ntext\n## Two\n\nSetext\n===\n\nmore\n---\nend",
    "tight list": "Intro\n- a\n- b\n  - c\n    - d\n- e\n\nAfter",
    "loose list": "1. one\n\n   more of one\n\n2. two\n\n3. three\n\nAfter",
    "two lists": "- a\n- b\n\n1. x\n2. y\n\n* z",
    "tasks": "- [ ] open\n- [x] done\n- plain\n",
    "starts late": "7. seven\n8. eight\n\ntext",
    "fence": "Before\n```python\ndef f():\n\n    return 1\n```\nAfter",
    "fence at once": "```\na\n```\n```js\nb\n```",
    "fence open": "Text\n\n~~~\nnever closed\n\nmore",
    "fence empty": "a\n\n```\n```\n\nb",
    "long fence": "````md\n```\ninner\n```\n````\nafter",
    "fence in list": "1. do:\n   ```sh\n   ls\n\n   pwd\n   ```\n2. then\n\nEnd",
    "fence in quote": "> text\n> ```\n> code\n> ```\n\nEnd",
    "unclosed in list": "- a\n  ```\n  code\n\nplain again\n\nand on",
    "quote": "> one\n> two\n>\n> > inner\n\n> other\n\ntext",
    "table": "| a | b |\n|---|:-:|\n| 1 | **2** |\n| `3` | |\n\nafter",
    "tables": "| a |\n|---|\n| 1 |\n\n| b |\n|---|\n| 2 |",
    "table first and last": "| a | b |\n|---|---|\n| 1 | 2 |",
    "rule": "one\n\n---\n\ntwo\n***\nthree",
    "html": "<b>raw</b>\n\n<div>\nblock\n</div>\n\n<script>x</script> &amp; &lt;",
    "formulas": r"\(a_1 + b_2\), \[x\]" + "\n\n$$\na_1 * b * c\n$$\n\ncosts $5 or $6",
    "indented code": "text\n\n    code\n\n    more\n\ntext",
    "definitions": "See [one][1] and [two].\n\n[1]: https://one.example\n[two]: https://two.example\n",
    "marks": "**open\n\n`also open\n\n***\n\n_x_ __y__ ** z **",
    "image": "![alt](file:///x.png) and ![](http://a.b/c.png)",
    "right to left": "שלום **עולם**\n\n- مرحبا\n- hello",
    "lines": "a\r\nb\r\n\r\nc",
}


@pytest.fixture
def make(qapp: Any) -> Any:
    theme, clock = Theme("dark"), FrameClock()
    highlighter = Highlighter(clock, clock)
    made: list[Any] = [theme, clock]

    def build() -> MarkdownDocument:
        made.append(MarkdownDocument(Formats(theme), highlighter))
        return made[-1]

    return build


def shape(document: QTextDocument) -> list[Any]:
    """What a reader sees: text, lists, tables, weights and links, block by block."""
    rows: list[Any] = []
    block: QTextBlock = document.begin()
    while block.isValid():
        listed = block.textList()
        runs = []
        walk = block.begin()
        while not walk.atEnd():
            form = walk.fragment().charFormat()
            runs.append((walk.fragment().text(), form.fontWeight(), form.fontItalic(), form.anchorHref()))
            walk += 1
        form = block.blockFormat()
        margins = (form.topMargin(), form.bottomMargin(), form.leftMargin(), form.indent())
        rows.append((listed.itemText(block) if listed else "", margins, runs))
        block = block.next()
    while rows and not rows[-1][2]:
        rows.pop()
    return rows


@pytest.mark.parametrize("name", SAMPLES)
def test_cut_anywhere_the_end_is_the_same(make: Any, name: str) -> None:
    source = SAMPLES[name]
    whole = make()
    whole.show(source)
    for cut in range(1, len(source)):
        grown = make()
        grown.stream(source[:cut])
        grown.stream(source)
        grown.finish(source)
        assert shape(grown) == shape(whole), f"cut at {cut}"
        assert [r.code for r in grown.regions] == [r.code for r in whole.regions]


@pytest.mark.parametrize("step", [1, 5])
def test_all_samples_in_a_row_streamed(make: Any, step: int) -> None:
    source = "\n\ntext between\n\n".join(SAMPLES[name] for name in SAMPLES if name != "fence open")
    whole, grown = make(), make()
    whole.show(source)
    for at in range(0, len(source), step):
        grown.stream(source[: at + step])
    grown.finish(source)
    assert shape(grown) == shape(whole)


PROSE = (
    "It was late, and the keeper (an old man) waited. He'd said: “never”… twice!  Then\nhe went up – slowly - and "
    "lit it. See www.example.org or https://example.org/a or mail me@example.org now.\n\n"
    "An _odd_ thing: snake_case_name and 2 * 3 * 4 and a*b*c, **bold**ness, `code` it and ~~not~~ so.\n"
    "a | b\n--|--\n1 | two words\nmore words\n\n- an item here\n  goes on\n- [x] done and on\n1) one word\n\n"
    "Mind & body &amp; soul, [a link](https://a.b/c d) and [ref] costs $5 or $a b$ \\(x y\\) end here\n"
    "===\nover.  \nNew"
)


@pytest.mark.parametrize("step", [1, 4])
@pytest.mark.parametrize("name", [*SAMPLES, "prose"])
def test_at_every_moment_it_shows_what_is_there_as_if_read_at_once(make: Any, name: str, step: int) -> None:
    source = SAMPLES.get(name, PROSE)
    grown = make()
    for at in range(step, len(source) + step, step):
        grown.stream(source[:at])
        fresh = make()
        fresh.stream(source[:at])
        assert shape(grown) == shape(fresh), source[:at][-40:]
        assert [r.code for r in grown.regions] == [r.code for r in fresh.regions]


@pytest.mark.parametrize("gap", ["\n", "\n\n"])
@pytest.mark.parametrize("mark", ["- {}", "1. {}", "{}. {}"])
def test_lists_cut_while_written_count_on(make: Any, gap: str, mark: str) -> None:
    source = gap.join(mark.replace("{}", str(n), 1) + f" item {n} with words\n   - below" for n in range(1, 300))
    grown = make()
    for at in range(0, len(source), 60):
        grown.stream(source[: at + 60])
    live = [row[0] for row in shape(grown)]
    whole = make()
    whole.show(source)
    grown.finish(source)
    assert shape(grown) == shape(whole)
    assert live == [row[0] for row in shape(whole)]
    if "1" in mark or mark == "{}. {}":
        assert live[-2] == "299."


def test_streaming_shows_everything_so_far(make: Any) -> None:
    document = make()
    source = "First paragraph.\n\n- item one\n- item two\n\n```py\nx = 1\ny = 2\n"
    for at in range(1, len(source) + 1):
        document.stream(source[:at])
    shown = document.toPlainText()
    assert [word for word in ("First paragraph.", "item one", "item two", "x = 1", "y = 2") if word not in shown] == []
    assert document.regions[0].language == "py"
    assert not document.regions[0].closed


def test_open_marks_do_not_flash(make: Any) -> None:
    document = make()
    document.stream("This is **bol")
    assert document.toPlainText().strip() == "This is bol"
    document.stream("This is **bold** and `cod")
    assert document.toPlainText().strip() == "This is bold and cod"


def test_long_live_answers_stay_cheap_and_end_right(make: Any) -> None:
    source = (
        "- item with some words\n" * 400 + "\n" + "word " * 2000 + "\n\n| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 200
    )
    whole, grown = make(), make()
    whole.show(source)
    for at in range(0, len(source), 500):
        grown.stream(source[: at + 500])
    grown.finish(source)
    assert shape(grown) == shape(whole)


@pytest.mark.parametrize("kind", ["![x]({})", "[![x]({})](https://a.b)", "<img src='{}'>", "![x][1]\n\n[1]: {}"])
def test_images_are_never_loaded(make: Any, kind: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = tmp_path / "secret.png"
    image = QImage(64, 64, QImage.Format.Format_RGB32)
    image.fill(0xFF0000)
    assert image.save(str(picture))
    document = make()
    document.show(kind.format(picture.as_uri()))
    document.setTextWidth(400)
    assert document.size().height() < 60
    assert "secret.png" in document.toPlainText()
    block = document.begin()
    while block.isValid():
        walk = block.begin()
        while not walk.atEnd():
            assert not walk.fragment().charFormat().isImageFormat()
            walk += 1
        block = block.next()


@pytest.mark.parametrize(
    ("address", "offered"),
    [
        ("https://example.org/x", True),
        ("http://example.org", True),
        ("mailto:a@example.org", True),
        ("file:///etc/passwd", False),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("ftp://example.org", False),
        ("relative/path", False),
        ("#anchor", False),
    ],
)
def test_only_web_and_mail_links_are_offered(make: Any, address: str, offered: bool) -> None:
    document = make()
    document.show(f"A [link]({address}) here")
    links = [run[3] for row in shape(document) for run in row[2] if run[3]]
    assert links == ([address] if offered else [])
    assert document.toPlainText().strip() == "A link here"


def test_html_and_formulas_stay_readable(make: Any) -> None:
    document = make()
    document.show(r"<b>x</b> \(a_1 * b\) and $x_1^2$ and `\(c\)`")
    assert document.toPlainText().strip() == r"<b>x</b> \(a_1 * b\) and $x_1^2$ and \(c\)"


def test_control_characters_go(make: Any) -> None:
    document = make()
    document.show("a\x00b\x1b[31mc\u202egnp\u2066.exe\ufdd0\ufffc\ud800 d\u2028e")
    assert document.toPlainText().strip() == "ab[31mcgnp.exe d e"


def test_right_to_left_paragraphs(make: Any) -> None:
    from PySide6.QtCore import Qt

    document = make()
    document.show("مرحبا بالعالم\n\nHello")
    assert document.begin().textDirection() == Qt.LayoutDirection.RightToLeft
    assert document.begin().next().textDirection() == Qt.LayoutDirection.LeftToRight


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("wrap", ["{}", "```\n{}\n```", "- {}", "> {}"])
def test_endless_lines_are_broken(make: Any, wrap: str, live: bool) -> None:
    source = wrap.format("x" * 200_000)
    document = make()
    if live:
        for at in range(0, len(source), 20_000):
            document.stream(source[: at + 20_000])
    else:
        document.show(source)
    block, longest = document.begin(), 0
    while block.isValid():
        longest = max(longest, block.length())
        block = block.next()
    assert longest <= LINE_MAX + 10
    assert document.toPlainText().count("x") == 200_000


def test_huge_tables_are_bounded(make: Any) -> None:
    document = make()
    document.show("| a | b |\n|---|---|\n" + "".join(f"| row {n} | x |\n" for n in range(3000)))
    tables = list(document.rootFrame().childFrames())
    assert sum(frame.rows() for frame in tables) <= TABLE_ROWS + 60  # type: ignore[attr-defined]
    assert "row 2999" in document.toPlainText()
    document.show("|".join("a" * 500) + "\n" + "|".join(["-"] * 500) + "\n" + "|".join("b" * 500))
    assert not document.rootFrame().childFrames()


def test_deep_nesting_and_empty_things(make: Any) -> None:
    document = make()
    for source in (">" * 3000 + " x", "- " * 500 + "x", "", "\n\n\n", "`" * 500, "[" * 2000, "|" * 500, "*" * 3001):
        document.show(source)
        document.setTextWidth(300)
        grown = make()
        for at in range(0, len(source), 97):
            grown.stream(source[: at + 97])
        grown.finish(source)


def test_code_is_coloured_after_a_while(make: Any, qtbot: Any) -> None:
    document = make()
    document.show("```python\nx = 'a' + 1  # 😀 note\ns = '😀' + 'b'\n```")
    block = document.findBlock(document.regions[0].start)
    qtbot.waitUntil(lambda: len(block.layout().formats()) >= 3, timeout=5000)
    second = block.next()
    spans = [
        second.text().encode("utf-16-le")[f.start * 2 : (f.start + f.length) * 2] for f in second.layout().formats()
    ]
    assert "'😀'" in [span.decode("utf-16-le", "replace") for span in spans] or "'😀'" in b"".join(spans).decode(
        "utf-16-le"
    )
    unknown = make()
    unknown.show("```nosuchlanguage\nx\n```\n```python\n" + "y" * 5000 + "\n```")


def test_same_code_is_coloured_at_once_the_second_time(make: Any, qtbot: Any) -> None:
    source = "```python\nreturn 1\n```"
    first = make()
    first.show(source)
    qtbot.waitUntil(lambda: bool(first.findBlock(first.regions[0].start).layout().formats()), timeout=5000)
    second = make()
    second.show(source)
    assert second.findBlock(second.regions[0].start).layout().formats()
