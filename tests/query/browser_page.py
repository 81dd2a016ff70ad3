"""Neo4j Browser's own page in a headless Chromium, as a person uses it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kgbuild.store.neo4j_server import Server, ServerHome

CHROMIUM = Path("/usr/bin/chromium")
_PATIENCE_MS = 180_000
# A file that a person drags onto the page.
_DROP = """([name, content]) => {
  const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
  const dropped = new DataTransfer();
  dropped.items.add(new File([bytes], name));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    document.querySelector(".filedrop").dispatchEvent(
      new DragEvent(kind, {bubbles: true, cancelable: true, dataTransfer: dropped}));
  }
}"""
# The nodes of the newest frame stand still once the layout has settled.
_SETTLED = """() => {
  const newest = document.querySelector("[data-testid=frame]");
  const places = [...newest.querySelectorAll("g.node")].map(
    node => node.getAttribute("transform")).join();
  const same = places !== "" && places === window.kgbuildPlaces;
  window.kgbuildPlaces = places;
  return same;
}"""


class BrowserPage:
    """The page, from its address to a drawn graph."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def connect(self, server: Server) -> None:
        self.page.goto(server.browser)
        self.page.fill("[data-testid=username]", "neo4j")
        self.page.fill("[data-testid=password]", ServerHome(server.home).read_password())
        self.page.click("[data-testid=connect]")
        self.page.wait_for_selector("text=Connected as user neo4j")

    def load_kit(self, kit: Path) -> None:
        """Drag the style sheet and the saved queries onto the page."""
        self._drop(kit / "kgbuild.grass")
        self.page.wait_for_selector("text=node.Concept")
        self._drop(kit / "kgbuild-queries.zip")
        self.page.click("[data-testid=navigationFavorites]")
        self.page.click('[data-testid="expandFolder-kgbuild"]')

    def _drop(self, file: Path) -> None:
        self.page.evaluate(_DROP, [file.name, base64.b64encode(file.read_bytes()).decode()])

    def saved_titles(self) -> list[str]:
        """Give the names in the list of saved queries."""
        listed = self.page.locator('[data-testid="savedScriptListItem"]')
        listed.first.wait_for()
        return [text.strip() for text in listed.all_inner_texts()]

    def run_saved(self, title: str) -> None:
        """Run a saved query and wait until its graph stands still."""
        entry = self.page.locator('[data-testid="savedScriptListItem"]', has_text=title).first
        entry.hover()
        entry.locator('[data-testid="savedScriptsButton-Run"]').click()
        self._newest.locator('[data-testid="frameCommand"]', has_text=title).wait_for()
        self._newest.locator("g.node").first.wait_for()
        self.page.wait_for_function(_SETTLED, polling=1_500)

    def widen(self) -> None:
        """Leave nothing on the page but the newest frame, and show its whole graph."""
        self._newest.locator('button[title="Fullscreen"]').click()
        self._newest.locator('button[title^="Collapse the node"]').click()
        self._newest.locator('button[aria-label="zoom-to-fit"]').click()
        self.page.wait_for_function(_SETTLED, polling=1_500)

    @property
    def _newest(self) -> Any:
        return self.page.locator('[data-testid="frame"]').first

    @property
    def captions(self) -> list[str]:
        """What is written on the nodes; a long text is cut by Browser."""
        return [text.strip() for text in self._newest.locator("g.node").all_text_contents()]

    @property
    def node_count(self) -> int:
        return int(self._newest.locator("g.node").count())

    def fills(self) -> set[str]:
        """Give the colours of the nodes."""
        circles = self._newest.locator("g.node circle.b-outline")
        found = circles.evaluate_all("all => all.map(one => one.getAttribute('fill'))")
        return {color.upper() for color in found}


@contextmanager
def open_page(
    *, width: int = 1500, height: int = 1000, scale: float = 1.0
) -> Iterator[BrowserPage]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        page = chromium.new_page(
            viewport={"width": width, "height": height}, device_scale_factor=scale
        )
        page.set_default_timeout(_PATIENCE_MS)
        try:
            yield BrowserPage(page)
        finally:
            chromium.close()
