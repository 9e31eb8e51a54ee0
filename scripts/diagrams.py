"""Mermaid diagrams of the pages, drawn while the site is built: a reader needs no script and no network."""

from hashlib import sha256
from typing import Any

from pymdownx.superfences import SuperFencesException

# As wide as a page: long texts are wrapped, boxes stand close.
_NARROW: dict[str, Any] = {
    "sequence": {"wrap": True, "width": 110, "actorMargin": 14, "messageMargin": 26},
    "flowchart": {
        "nodeSpacing": 24,
        "rankSpacing": 34,
        "wrappingWidth": 170,
        "subGraphTitleMargin": {"top": 0, "bottom": 12},
        "htmlLabels": False,  # a page's own style would cut them off
    },
    "htmlLabels": False,
}


def drawn(text: str) -> str:
    """Return a Mermaid diagram as an ``<svg>`` that can stand in a page beside others.

    Raises:
        mermaidx.MermaidError: it is not a valid diagram.
    """
    import mermaidx

    svg: str = mermaidx.render(text, theme="neutral", config=_NARROW).svg()
    return svg.replace("my-svg", f"diagram-{sha256(text.encode()).hexdigest()[:8]}")


def fence(source: str, _language: str, _css_class: str, *_: Any, **__: Any) -> str:
    """Return what stands in the page for a fenced block of Mermaid (a formatter of ``pymdownx.superfences``).

    Raises:
        SuperFencesException: it is not a valid diagram; the build ends.
    """
    try:
        return f'<div class="diagram">{drawn(source)}</div>'
    except Exception as error:
        raise SuperFencesException(f"not a valid Mermaid diagram: {error}\n{source}") from error
