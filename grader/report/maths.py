"""An author's TeX as MathML that a page may hold: known elements, no style, no link."""

from __future__ import annotations

import re
from functools import lru_cache
from xml.etree import ElementTree

from markupsafe import Markup

# fmt: off
ELEMENTS = frozenset({
    "math", "mrow", "mi", "mo", "mn", "mtext", "mspace", "msub", "msup", "msubsup", "mfrac", "msqrt", "mroot",
    "mover", "munder", "munderover", "mtable", "mtr", "mtd", "mpadded", "mphantom", "mstyle",
})
ATTRIBUTES = frozenset({
    "display", "accent", "stretchy", "fence", "form", "columnalign", "rowspacing", "columnspacing",
    "displaystyle", "scriptlevel", "largeop", "movablelimits", "separator", "lspace", "rspace", "width",
    "height", "depth", "linethickness", "minsize", "maxsize",
})
# fmt: on
NAMESPACE = "http://www.w3.org/1998/Math/MathML"


class MathsError(Exception):
    """TeX that cannot be shown; the text says why."""


@lru_cache(maxsize=1024)
def to_mathml(tex: str) -> Markup:
    """Return one line of TeX as MathML. Raises MathsError for what the converter does not know."""
    # Slow to import, and only a page needs it.
    from latex2mathml.converter import convert

    try:
        root = ElementTree.fromstring(convert(tex, display="block"))  # noqa: S314 # made from the author's own TeX
    except Exception as error:
        raise MathsError(f"not TeX that can be shown: {tex}") from error
    unknown = re.search(r"\\\w+", "".join(root.itertext()))
    if unknown:
        raise MathsError(f"{unknown[0]} is not known: {tex}")
    _tidy(root)
    root.set("alttext", tex)
    ElementTree.register_namespace("", NAMESPACE)
    return Markup(ElementTree.tostring(root, encoding="unicode"))  # noqa: S704 # only known elements are left


def _tidy(element: ElementTree.Element) -> None:
    name = element.tag.removeprefix(f"{{{NAMESPACE}}}")
    if name not in ELEMENTS:
        raise MathsError(f"<{name}> is no element of a formula")
    if name == "mrow" and len(element) > 1 and all("mathvariant" in child.attrib for child in element):
        # A name such as \mathrm{out}: letters one by one would be set apart from each other.
        text = "".join(child.text or "" for child in element)
        for child in list(element):
            element.remove(child)
        ElementTree.SubElement(element, f"{{{NAMESPACE}}}mi").text = text
    for attribute in list(element.attrib):
        if attribute not in ATTRIBUTES:
            del element.attrib[attribute]
    for child in element:
        _tidy(child)
