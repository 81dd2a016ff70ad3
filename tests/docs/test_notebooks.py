from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
# The kernel's event loop warns about its own sockets when it shuts down.
IGNORED = ("ignore::ResourceWarning", "ignore::DeprecationWarning")
# It asks a finished graph and builds none.
ASKING = next(path for path in NOTEBOOKS if path.stem == "03_ask_the_graph")


def _name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", NOTEBOOKS, ids=_name)
def test_a_notebook_is_stored_without_outputs_and_defines_nothing(path: Path) -> None:
    """A story calls the package; what it would define belongs there."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        assert not cell.outputs
        assert cell.execution_count is None
        nodes = ast.walk(ast.parse(cell.source))
        definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        assert [node for node in nodes if isinstance(node, definitions)] == []


def run_notebook(path: Path) -> nbformat.NotebookNode:
    """Execute a notebook; an error in a cell is raised."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=900,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    return notebook


def read_outputs(notebook: nbformat.NotebookNode) -> str:
    """Give all that the cells said, as text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    return "\n".join(
        output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs
    )


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.parametrize("path", [path for path in NOTEBOOKS if path != ASKING], ids=_name)
@pytest.mark.filterwarnings(*IGNORED)
def test_a_notebook_runs_from_top_to_bottom(path: Path) -> None:
    assert read_outputs(run_notebook(path))


@pytest.fixture
def graph_place(
    request: pytest.FixtureRequest, made_run: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Where the notebook finds a graph: a run folder, or the same edges on a server."""
    if request.param == "ladybug":
        return str(made_run)
    from kgbuild.store.neo4j_store import Neo4jStore, find_address

    server = request.getfixturevalue("clean_neo4j")
    edges = request.getfixturevalue("made_edges")
    address = find_address(server.uri, credentials=server.credentials)
    with Neo4jStore(address, relations={edge.relation for edge in edges}) as store:
        store.load_edges(edges)
    monkeypatch.setenv("KGBUILD_NEO4J_CREDENTIALS", str(server.credentials))
    return str(server.uri)


@pytest.mark.slow
@pytest.mark.parametrize(
    "graph_place",
    ["ladybug", pytest.param("neo4j", marks=pytest.mark.neo4j)],
    indirect=True,
)
@pytest.mark.filterwarnings(*IGNORED)
def test_the_notebook_that_asks_a_graph_runs_on_both_stores(
    graph_place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KGBUILD_GRAPH", graph_place)
    said = read_outputs(run_notebook(ASKING))
    assert "PersonX bakes a cake. As a result, PersonX feels proud." in said
    assert "In the graph: the critic" in said
