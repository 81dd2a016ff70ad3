"""The kit in the real Neo4j Browser: style, saved queries, a drawn graph."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kgbuild.query import Graph
from kgbuild.query.browser_kit import write_browser_kit
from kgbuild.query.palette import PHRASES
from kgbuild.query.saved_queries import load_queries
from kgbuild.store.neo4j_server import Server
from tests.query.browser_page import CHROMIUM, open_page

pytest.importorskip("playwright", reason="pip install playwright to drive Neo4j Browser")
QUERY = next(query for query in load_queries() if query.name == "what_comes_before")


@pytest.mark.neo4j
@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM.exists(), reason="apt-get install chromium to drive the page")
# Playwright's loop warns about its own sockets when the machine is busy.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
def test_browser_draws_what_a_saved_query_gives(
    neo4j_server: Server, in_neo4j: Graph, tmp_path: Path
) -> None:
    write_browser_kit(tmp_path / "kit", graph=in_neo4j)
    answer = in_neo4j.cypher(QUERY.statement, **QUERY.examples)
    wanted = {node["text"] for row in answer for node in row["p"]["_NODES"]}
    pictures = Path(os.environ.get("KGBUILD_PICTURES") or tmp_path)
    with open_page() as browser:
        browser.connect(neo4j_server)
        browser.load_kit(tmp_path / "kit")
        assert sorted(browser.saved_titles()) == sorted(query.title for query in load_queries())
        browser.run_saved(QUERY.title)
        browser.page.screenshot(path=pictures / "browser.png")
        assert browser.node_count == len(wanted) > 5
        assert browser.fills() == {PHRASES["event"].fill, PHRASES[""].fill}
        for caption in browser.captions:
            begun = caption.split("…")[0].split(" ")[0]
            assert any(text.startswith(begun) for text in wanted), caption
    assert (pictures / "browser.png").stat().st_size > 10_000
