"""A desk: a session with a dozen questions, its page without a socket, and its label file."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from kgbuild.core.ids import triple_id
from kgbuild.core.records import HeadKind, LabelledTriple
from kgbuild.critic.labels import read_labels
from kgbuild.labelling import LabelFile, LabelSession, Question
from kgbuild.web.app import build_app
from kgbuild.web.desk import LabelDesk
from kgbuild.web.guard import Access
from kgbuild.web.pages import Pages
from kgbuild.web.serving import name_hosts

BAKES = "PersonX bakes a cake"
HOST, PORT = "127.0.0.1", 8765
ORIGIN = f"http://{HOST}:{PORT}"
MAX_BODY = 16_384
GUIDELINE = "# Guide\n\n1. **Relation first.** Ordinary commonsense?\n\n<script>alert(1)</script>\n"
TAILS = (
    "proud", "to eat the cake", "tired", "furious", "to share it with friends", "hungry",
    "to buy flour", "a mountain", "<img src=x onerror=alert(1)>", "to wash the dishes",
    "bored", "happy and content", "to open a bakery",
)  # fmt: skip


def make_questions() -> list[Question]:
    """A question for each tail, with what no page may show."""
    return [
        Question(
            triple_id=triple_id(BAKES, "xReact", tail),
            head=BAKES,
            relation="xReact",
            tail=tail,
            kind=HeadKind.EVENT,
            sentence=f"{BAKES}. As a result, PersonX feels {tail}.",
            chosen_by="uncertain",
            arm="beam-8",
            teacher="smollm2",
            log_probability=-1.2345,
            mean_log_probability=-0.6789,
            tokens=4,
        )
        for tail in TAILS
    ]


def open_session(folder: Path) -> LabelSession:
    """Ann's session over the questions, on `labels.jsonl`."""
    return LabelSession(
        LabelFile(folder / "labels.jsonl"),
        make_questions(),
        labeller="ann",
        clock=lambda: datetime.now(UTC),
        again_share=0,
    )


class Desk:
    """One labeller's page over HTTP."""

    def __init__(self, folder: Path) -> None:
        self.session = open_session(folder)
        self.path = folder / "labels.jsonl"
        self.sentences = [question.sentence for question in make_questions()]
        access = Access(PORT)
        self.token = access.token
        app = build_app(
            LabelDesk(self.session),
            pages=Pages(GUIDELINE),
            access=access,
            hosts=name_hosts(HOST, bound=HOST),
            max_body_bytes=MAX_BODY,
        )
        self.client = TestClient(
            app, base_url=ORIGIN, follow_redirects=False, raise_server_exceptions=False
        )

    def enter(self) -> tuple[str, str]:
        """Bring the token and give the cookie."""
        assert self.client.get(f"/?token={self.token}").status_code == 200
        ((name, value),) = self.client.cookies.items()
        return name, value

    def sentence(self) -> str:
        """The sentence that the page shows."""
        found = re.search(r'<h1 id="sentence"[^>]*>(.*?)</h1>', self.client.get("/").text)
        assert found
        return html.unescape(found[1])

    def form(self, label: str = "") -> dict[str, str]:
        """The form that the page shows, filled in."""
        page = self.client.get("/").text
        shown = page.split('id="answer"')[-1].split("</form>")[0]
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown))
        del fields["seconds"]
        return fields | {"label": label}

    def post(
        self,
        path: str,
        form: dict[str, str],
        *,
        origin: str | None = ORIGIN,
        host: str | None = None,
        by_script: bool = False,
    ) -> Any:
        """Send a form as a browser does."""
        headers = {"origin": origin, "host": host}
        headers["x-kgbuild-script"] = "1" if by_script else None
        given = {name: value for name, value in headers.items() if value is not None}
        return self.client.post(path, data=form, headers=given)

    def rows(self) -> list[LabelledTriple]:
        """What is on disk, as it was added."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        return [LabelledTriple.model_validate_json(line) for line in lines]

    def standing(self) -> list[LabelledTriple]:
        """What is on disk and was not taken back."""
        return read_labels([self.path])


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with made.session, made.client:
        yield made


def write_candidates(path: Path) -> None:
    """A dozen triples of one head."""
    lines = ["head\trelation\ttail", *(f"{BAKES}\txReact\t{tail}" for tail in TAILS)]
    path.write_text("\n".join(lines) + "\n")
