from __future__ import annotations

from pathlib import Path

import pytest

from kgbuild.core.errors import KgbuildError, StoreError
from kgbuild.store.neo4j_server import ServerHome
from kgbuild.store.neo4j_store import find_address

SECRET = "tiger-in-the-tank"


@pytest.fixture(autouse=True)
def no_server_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KGBUILD_NEO4J_HOME", str(tmp_path / "no home"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "credentials"
    path.write_text(f"# mine\nNEO4J_USERNAME=ann\nNEO4J_PASSWORD={SECRET}\nNEO4J_DATABASE=kg\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("uri", "given"),
    [
        ("neo4j://localhost", "neo4j://localhost:7687"),
        ("bolt+s://example.org:7999/", "bolt+s://example.org:7999"),
        ("neo4j+ssc://[::1]:7687", "neo4j+ssc://[::1]:7687"),
    ],
)
def test_an_address_gets_its_port(uri: str, given: str, file: Path) -> None:
    assert find_address(uri, credentials=file).uri == given


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("http://localhost:7474", "not a scheme.*bolt"),
        ("neo4j://localhost:port", "no readable host and port"),
        ("neo4j://localhost:99999", "no readable host and port"),
        ("neo4j://localhost:7687/mydb", "--database"),
        ("neo4j://localhost?policy=x", "leave the rest out"),
        ("neo4j://", "names no host.*kgbuild neo4j start"),
        ("neo4j://[::1", "no readable host and port"),
    ],
)
def test_an_address_that_breaks_a_rule_is_refused(uri: str, message: str, file: Path) -> None:
    with pytest.raises(StoreError, match=message):
        find_address(uri, credentials=file)


def test_a_password_in_an_address_is_refused_and_not_repeated(file: Path) -> None:
    with pytest.raises(StoreError, match="must not hold a user or a password") as refused:
        find_address(f"neo4j://ann:{SECRET}@localhost", credentials=file)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("name", ["", "1st", "a b", "x" * 64, "kg`; DROP DATABASE kg", "sys/tem"])
def test_a_database_that_is_no_name_is_refused(name: str, file: Path) -> None:
    if not name:
        assert find_address("neo4j://h", database=name, credentials=file).database == "kg"
        return
    with pytest.raises(StoreError, match="cannot name a database"):
        find_address("neo4j://h", database=name, credentials=file)


def test_credentials_come_from_the_file_before_the_environment(file: Path) -> None:
    environment = {"NEO4J_PASSWORD": "other", "NEO4J_USERNAME": "bob"}
    asked = find_address("neo4j://h", credentials=file, environment=environment)
    assert (asked.user, asked.password.get_secret_value()) == ("ann", SECRET)
    assert (asked.database, asked.found_in) == ("kg", str(file))
    plain = find_address("neo4j://h", environment=environment)
    assert (plain.user, plain.password.get_secret_value()) == ("bob", "other")
    named = find_address(
        "neo4j://h", environment={**environment, "KGBUILD_NEO4J_CREDENTIALS": str(file)}
    )
    assert named.user == "ann"
    with pytest.raises(StoreError, match=r"no password for neo4j://h:7687.*NEO4J_PASSWORD"):
        find_address("neo4j://h", environment={})


def test_no_form_of_an_address_shows_the_password(file: Path) -> None:
    address = find_address("neo4j://h", credentials=file)
    for text in (repr(address), str(address), address.model_dump_json(), f"{address!s}"):
        assert SECRET not in text


def test_a_file_that_others_can_read_is_refused(file: Path, tmp_path: Path) -> None:
    file.chmod(0o640)
    with pytest.raises(StoreError, match="chmod 600") as refused:
        find_address("neo4j://h", credentials=file)
    assert SECRET not in str(refused.value)
    for broken in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(KgbuildError, match=str(broken)):
            find_address("neo4j://h", credentials=broken)
    file.chmod(0o600)
    file.write_bytes(b"NEO4J_PASSWORD=\xff\xfe")
    with pytest.raises(KgbuildError, match="not UTF-8"):
        find_address("neo4j://h", credentials=file)
    file.write_text("password: tiger\n")
    with pytest.raises(StoreError, match="has no password"):
        find_address("neo4j://h", credentials=file)


def test_a_state_without_its_process_gives_no_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program may listen on the port of a server of ours that has ended."""
    home = ServerHome(tmp_path / "home")
    home.make()
    home.make_password()
    home.write_state(mark="ab" * 16, pid=1, bolt=7687, http=7474)
    monkeypatch.setenv("KGBUILD_NEO4J_HOME", str(home.path))
    with pytest.raises(StoreError, match="no password"):
        find_address("neo4j://127.0.0.1:7687", environment={})
