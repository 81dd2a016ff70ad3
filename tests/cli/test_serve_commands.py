"""serve as a person types it: where it listens, what it prints, how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import httpx2
import pytest

from kgbuild.critic import read_labels
from tests.web.conftest import write_candidates
from tests.web.label_page import Serve

_END = b"Connection: close\r\n\r\n"
HOSTILE = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + _END,
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n" + _END,
    b"POST /answer HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n" + _END,
    b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n" + _END,
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: 127.0.0.1\r\n" + _END,
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n" + _END,
    b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + _END,
)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(call: Run) -> Run:
    return partial(call, "serve")


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    write_candidates(tmp_path / "mine.tsv")
    labels = tmp_path / "labels.jsonl"
    return [str(tmp_path / "mine.tsv"), "--labels", str(labels), "--labeller", "ann"]


@contextmanager
def open_door(server: Serve) -> Iterator[httpx2.Client]:
    """A client with the cookie."""
    with httpx2.Client(base_url=server.url.split("?")[0], timeout=60) as client:
        assert client.get(server.url).status_code == 200
        yield client


def exchange(server: Serve, sent: bytes, *, hangs_up: bool = False) -> bytes:
    """Send bytes, hang up or wait, and give what comes back until the server hangs up."""
    answer = b""
    # It may hang up before it has read all.
    with (
        socket.create_connection(("127.0.0.1", int(server.port)), timeout=60) as raw,
        suppress(ConnectionError),
    ):
        raw.sendall(sent)
        if hangs_up:
            raw.shutdown(socket.SHUT_WR)
        while part := raw.recv(65_536):
            answer += part
    return answer


def read_fields(page: str) -> dict[str, str]:
    """The hidden fields of the answer's form."""
    form = page.split('id="answer"')[1]
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', form))
    return {name: fields[name] for name in ("turn", "question")}


def test_the_address_alone_is_on_stdout_and_ctrl_c_is_a_good_end(words: list[str]) -> None:
    with Serve(*words) as server, open_door(server) as client:
        sent = read_fields(client.get("/").text) | {"label": "likely"}
        reply = client.post("/answer", data=sent, headers={"origin": server.origin})
        assert reply.status_code == 303
        # The connection is open and idle, as a browser leaves it.
        code, out, said = server.end(signal.SIGINT)
    assert (code, out) == (0, ""), said
    assert "Open this address in a browser" in said
    assert said.splitlines()[-1] == "1 answers now, 12 sentences left"
    assert "token" not in said
    assert [row.label.value for row in read_labels([Path(words[2])])] == ["likely"]


def test_hostile_bytes_neither_end_it_nor_are_told_more_than_a_refusal(words: list[str]) -> None:
    with Serve(*words) as server:
        for sent in HOSTILE:
            answer = exchange(server, sent)
            # Of an endless line the answer is lost: the server hangs up while we still send.
            assert answer[:10] == b"HTTP/1.1 4" or (not answer and len(sent) > 100_000), sent[:60]
            assert b"Traceback" not in answer
            assert b"uvicorn" not in answer.lower()
        with open_door(server) as client:
            assert 'id="answer"' in client.get("/").text
        code, _, said = server.end()
    assert code == 0
    assert "Traceback" not in said


def test_half_an_answer_is_none(words: list[str]) -> None:
    with Serve(*words) as server:
        with open_door(server) as client:
            sent = read_fields(client.get("/").text) | {"label": "likely"}
            body = urlencode(sent).encode()
            ((name, value),) = client.cookies.items()
            head = (
                f"POST /answer HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
                f"Origin: {server.origin}\r\nCookie: {name}={value}\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n"
            )
            # All that counts is there, but not all that was announced.
            more = f"Content-Length: {len(body) + 10}\r\n\r\n"
            assert exchange(server, f"{head}{more}".encode() + body, hangs_up=True) == b""
            assert read_fields(client.get("/").text)["turn"] == sent["turn"]
            # The whole of it is an answer.
            whole = f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            answer = exchange(server, f"{head}{whole}".encode() + body)
            assert answer.startswith(b"HTTP/1.1 303")
        code, _, said = server.end()
    assert (code, "Traceback" in said) == (0, False)
    assert len(read_labels([Path(words[2])])) == 1


def test_a_server_that_is_killed_frees_the_label_file(words: list[str]) -> None:
    with Serve(*words) as server:
        assert server.end(signal.SIGKILL)[0] == -signal.SIGKILL
    with Serve(*words) as server:
        code, _, said = server.end(signal.SIGTERM)
    assert code == -signal.SIGTERM
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--host", "192.0.2.1"), "--host 127.0.0.1 is this machine alone"),
        (("--host", ""), "The host is empty"),
        (("--guideline", "99"), "no guideline 99"),
    ],
)
def test_what_the_user_can_mend_is_exit_code_2(
    run: Run, words: list[str], more: tuple[str, ...], message: str
) -> None:
    code, out, said = run(*words, *more)
    assert (code, out) == (2, "")
    assert message in said
    assert "Traceback" not in said


def test_a_port_or_a_label_file_that_is_taken_is_exit_code_2(run: Run, words: list[str]) -> None:
    with Serve(*words) as server:
        code, out, said = run(*words)
        assert (code, out) == (2, "")
        assert "open in another labelling session" in said
        elsewhere = [*words[:2], str(Path(words[2]).with_name("others.jsonl")), *words[3:]]
        code, out, said = run(*elsewhere, "--port", server.port)
        assert (code, out) == (2, "")
        assert f"port {server.port}" in said


def test_a_host_that_others_reach_is_said_to_be_one(
    run: Run, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kgbuild.web.LabelServer.run", lambda self: None)
    code, out, said = run(*words, "--host", "0.0.0.0")
    assert code == 0
    assert out.startswith(f"http://{socket.gethostname()}:")
    assert "nothing is encrypted" in said


def test_over_ssh_the_way_there_is_told(
    run: Run, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kgbuild.web.LabelServer.run", lambda self: None)
    monkeypatch.setitem(os.environ, "SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")
    _, out, said = run(*words)
    port = out.split(":")[2].split("/")[0]
    assert f"ssh -L {port}:127.0.0.1:{port} " in said
