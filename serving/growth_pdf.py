"""The growth report as a PDF, in English or Chinese. The only door to reportlab, opened when a PDF is asked for.

Chinese is set in ``STSong-Light``, one of the faces that every PDF reader brings or replaces, so that no font file has
to be shipped. Everything that Helvetica cannot write (a Chinese name in an English text) is set in it as well.
"""

from __future__ import annotations

import io
import re
from html import escape
from typing import Any

from features.errors import FixableError
from serving.growth_story import Section, footer, sections, subtitle, title
from serving.talent import Seen
from serving.words import Words

CHINESE = "STSong-Light"
MARKS = {"": "•", "head": "", "met": "+", "missing": "–", "unknown": "?"}
BEYOND_LATIN = re.compile(r"[^\x20-\x7e\xa0-\xff–’“”•…]+")
"""What the built-in Helvetica has no letters for."""
INK, QUIET, GREEN = "#22302e", "#55625f", "#1e5750"


def growth_pdf(seen: Seen, words: Words) -> bytes:
    """Return the file. Raises ``FixableError`` when the library is not installed."""
    try:
        from reportlab.lib.pagesizes import A4
        from reportlab.lib.units import mm
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.cidfonts import UnicodeCIDFont
        from reportlab.platypus import SimpleDocTemplate
    except ImportError:
        raise FixableError("A PDF needs the package reportlab.", ["pip install reportlab"]) from None
    pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))
    out = io.BytesIO()
    edge = 20 * mm
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=edge,
        rightMargin=edge,
        topMargin=edge,
        bottomMargin=edge,
        title=title(seen, words),
        author=words("site.name"),
        lang="zh-CN" if words.language == "zh" else "en",
        invariant=True,
    )
    document.build(_flow(seen, words))
    return out.getvalue()


def _flow(seen: Seen, words: Words) -> list[Any]:
    from reportlab.platypus import Spacer

    flow = [_line(title(seen, words), size=18, after=2), _line(subtitle(seen, words), colour=QUIET, after=10)]
    for part in sections(seen, words):
        flow += _section(part, words)
    flow.append(Spacer(1, 8))
    return flow + [_line(text, size=8.5, colour=QUIET, after=2) for text in footer(seen, words)]


def _section(part: Section, words: Words) -> list[Any]:
    """A heading never stands alone at the foot of a page; an item is never torn in two."""
    from reportlab.platypus import KeepTogether

    head = [_line(part.title, size=13, colour=GREEN, before=8, after=3)]
    head += [_line(part.intro, colour=QUIET, after=3)] if part.intro else []
    blocks = []
    for item in part.items:
        if item.mark == "head":
            lines = [_line(item.head, size=11.5, before=5, after=1)]
        else:
            lines = [_line(f"{MARKS[item.mark]} {item.head}", indent=8, after=1)]
        if item.mark in ("met", "missing", "unknown"):
            state = words(f"mark.{item.mark}")
            lines = [_line(f"{MARKS[item.mark]} {item.head} [{state}]", indent=8, after=1)]
        lines += [_line(text, size=9.5, colour=QUIET, indent=18, after=2) for text in item.lines]
        blocks.append(lines)
    first = blocks[0] if blocks else []
    return [KeepTogether(head + first), *(KeepTogether(block) for block in blocks[1:])]


def _line(
    text: str, *, size: float = 10.5, colour: str = INK, indent: float = 0, before: float = 0, after: float = 4
) -> Any:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    chinese = sum(letter > "\u2e80" for letter in text) * 2 > len(text)
    style = ParagraphStyle(
        "line",
        fontName="Helvetica",
        fontSize=size,
        leading=size * 1.45,
        textColor=colour,
        leftIndent=indent,
        spaceBefore=before,
        spaceAfter=after,
        wordWrap="CJK" if chinese else None,
    )
    return Paragraph(BEYOND_LATIN.sub(rf'<font name="{CHINESE}">\g<0></font>', escape(text)), style)
