"""What is shown: templates filled in, every text escaped."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt

from kgbuild.core.records import Label, Record
from kgbuild.web.desk import DeskView
from kgbuild.web.forms import MAX_COMMENT

_TEMPLATES = Path(__file__).with_name("templates")


class Choice(Record):
    """One button: its label, its key and a few words on when it is right."""

    label: Label
    key: str
    means: str


CHOICES = (
    Choice(label=Label.ALWAYS, key="a", means="true always or very often"),
    Choice(label=Label.LIKELY, key="l", means="one of several natural answers"),
    Choice(label=Label.FARFETCHED, key="f", means="needs an unusual story"),
    Choice(label=Label.INVALID, key="i", means="false, no sense, bad language"),
    Choice(label=Label.UNSURE, key="u", means="I cannot know this"),
)


class Pages:
    """The pages of one server."""

    def __init__(self, guideline: str) -> None:
        """Read the templates.

        Args:
            guideline: How to judge, as Markdown; HTML in it is shown as text.
        """
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
        self._guideline = markdown.render(guideline)

    def label(self, view: DeskView, *, labeller: str, notice: str) -> str:
        """Give the page that asks for one answer, or says that all are given."""
        return self._render(
            "label",
            view=view,
            labeller=labeller,
            notice=notice,
            choices=CHOICES,
            guideline=self._guideline,
            max_comment=MAX_COMMENT,
        )

    def guideline(self) -> str:
        """Give the guideline as a page of its own."""
        return self._render("guideline", guideline=self._guideline)

    def entrance(self) -> str:
        """Give the page that brings the cookie and goes on to the first sentence."""
        return self._render("entrance")

    def refusal(self, message: str, *, status: int) -> str:
        """Give a page that says why a request is refused."""
        return self._render("refusal", message=message, title=HTTPStatus(status).phrase)

    def _render(self, name: str, **values: Any) -> str:
        return self._environment.get_template(f"{name}.html.jinja").render(**values)
