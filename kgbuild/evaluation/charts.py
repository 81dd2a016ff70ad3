"""Charts as SVG text that a page holds inline. Two drawings of the same figures are equal."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

_ACCENT = "#2f6f9f"
_SOFT = "#b8c9d6"
_COLUMNS = 6


def draw_bars(names: Sequence[str], groups: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Draw horizontal bars, one row a name, the groups over each other from long to short."""

    def draw(axes: Any) -> None:
        shades = ("#dfe6eb", _SOFT, _ACCENT, "#1d3d55")
        for (label, values), shade in zip(groups, shades, strict=False):
            axes.barh(list(names), list(values), color=shade, label=label)
        axes.invert_yaxis()
        axes.legend(frameon=False, loc="lower right")

    return _draw(draw, width=7.0, height=0.8 + 0.26 * max(len(names), 1))


def draw_histogram(shares: Sequence[float], *, label: str) -> str:
    """Draw the counts of ten equal bins from 0 to 1."""

    def draw(axes: Any) -> None:
        axes.bar([0.05 + 0.1 * place for place in range(len(shares))], shares, width=0.09,
                 color=_ACCENT)  # fmt: skip
        axes.set_xlim(0, 1)
        axes.set_xlabel(label)

    return _draw(draw, width=5.0, height=2.6)


def draw_reliability(bins: Sequence[tuple[float, float, int]]) -> str:
    """Draw promised against measured; on the diagonal a probability means what it says."""

    def draw(axes: Any) -> None:
        axes.plot([0, 1], [0, 1], color=_SOFT, linewidth=1)
        if bins:
            largest = max(count for _, _, count in bins)
            axes.scatter(
                [promised for promised, _, _ in bins],
                [measured for _, measured, _ in bins],
                s=[20 + 160 * count / largest for _, _, count in bins],
                color=_ACCENT,
            )
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        axes.set_xlabel("promised probability")
        axes.set_ylabel("share accepted by labels")

    return _draw(draw, width=4.2, height=3.6)


def draw_reliabilities(relations: Sequence[tuple[str, Sequence[tuple[float, float, int]]]]) -> str:
    """Draw promised against measured for many relations, one small square each."""

    def draw(figure: Any) -> None:
        rows = -(-len(relations) // _COLUMNS)
        squares = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False)
        for axes in squares.flat[len(relations) :]:
            axes.set_visible(False)
        for axes, (name, bins) in zip(squares.flat, relations, strict=False):
            axes.plot([0, 1], [0, 1], color=_SOFT, linewidth=1)
            axes.scatter(
                [promised for promised, _, _ in bins],
                [measured for _, measured, _ in bins],
                # An area a label, up to a size that hides nothing.
                s=[min(6 + 2 * count, 70) for _, _, count in bins],
                color=_ACCENT,
                linewidths=0,
            )
            axes.set_title(name, fontsize=8)
            axes.set(xlim=(0, 1), ylim=(-0.02, 1.02), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
            axes.tick_params(labelsize=7)
        figure.subplots_adjust(0.05, 0.06, 0.99, 0.96, wspace=0.15, hspace=0.35)

    return _render(draw, width=8.4, height=0.4 + 1.5 * -(-len(relations) // _COLUMNS), layout=None)


def draw_curve(values: Sequence[float], *, label: str) -> str:
    """Draw a curve over steps."""

    def draw(axes: Any) -> None:
        axes.plot(range(1, len(values) + 1), values, color=_ACCENT, linewidth=1.5)
        axes.set_xlabel("step")
        axes.set_ylabel(label)

    return _draw(draw, width=5.0, height=2.6)


def _draw(draw: Callable[[Any], None], *, width: float, height: float) -> str:
    def on_axes(figure: Any) -> None:
        axes = figure.subplots()
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        draw(axes)

    return _render(on_axes, width=width, height=height, layout="constrained")


def _render(draw: Callable[[Any], None], *, width: float, height: float, layout: Any) -> str:
    import matplotlib
    from matplotlib.figure import Figure

    settings: Any = {"svg.hashsalt": "kgbuild", "svg.fonttype": "none", "font.size": 9}
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(width, height), layout=layout)
        draw(figure)
        target = io.StringIO()
        figure.savefig(target, format="svg", metadata={"Date": None}, transparent=True)
    text = target.getvalue()
    return text[text.index("<svg") :]
