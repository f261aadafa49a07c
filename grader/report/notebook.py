"""A report as an output of a notebook: a line with the score, and the page below it in a frame of its own."""

from __future__ import annotations

from markupsafe import escape

HEIGHT = 640
# Without it a link to a part of the page would lead to Jupyter's own page: a frame takes its address from around it.
_BASE = '<base href="about:srcdoc">'


def notebook_bundle(line: str, page: str) -> dict[str, str]:
    """Return a report by media type; the line stands outside of the frame, which a notebook may not be trusted with."""
    # Before the page's policy, which forbids any other.
    framed = page.replace("<head>", f"<head>{_BASE}", 1)
    # `sandbox` without any permission: no script, no form, no way out of the frame.
    frame = (
        f'<iframe sandbox title="The report" srcdoc="{escape(framed)}" width="100%" height="{HEIGHT}" '
        'style="border:0"></iframe>'
    )
    return {"text/plain": line, "text/html": f"<p>{escape(line)}</p>\n{frame}"}
