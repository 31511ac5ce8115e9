"""SVG to PNG by the optional package ``resvg-py`` (extra ``png``)."""

from __future__ import annotations

from flowkit.errors import FlowkitError

__all__ = ["to_png"]


def to_png(svg: str, *, scale: float = 2.0) -> bytes:
    """Rasterise an SVG document; ``scale`` is pixels an SVG unit. Needs fonts for the labels' script.

    Raises :class:`~flowkit.errors.FlowkitError` if the extra is not installed.
    """
    try:
        import resvg_py  # noqa: PLC0415
    except ImportError:
        raise FlowkitError("PNG needs the package resvg-py; install flowkit[png], or write SVG") from None
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=max(1, round(scale))))
