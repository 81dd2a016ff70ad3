"""Java and the server's jars, the latter copied once into the user's cache by Maven."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from filelock import FileLock

from kgbuild.core.errors import ServerError
from kgbuild.core.files import hash_file, write_error
from kgbuild.core.resources import cache_folder, resource_path

POM = "tools/neo4j/pom.xml"
_OLDEST_JAVA = 17
_VERSION = re.compile(r'version "(\d+)')
_FETCH_SECONDS = 900
_CHECK_SECONDS = 60


def find_java() -> str:
    """Give the path of a Java that can run the server: `JAVA_HOME`'s, or the one on the path.

    Raises:
        ServerError: If there is none, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin")) if home else shutil.which("java")
    if java is None:
        where = f"in JAVA_HOME={home}" if home else "on the PATH"
        raise ServerError(
            f"There is no java {where}; a Neo4j server needs Java {_OLDEST_JAVA} or newer. Install "
            "one (Debian: openjdk-17-jre-headless) or let JAVA_HOME name it"
        )
    done = _run([java, "-version"], seconds=_CHECK_SECONDS)
    found = _VERSION.search(done.stderr + done.stdout)
    if found is None or int(found.group(1)) < _OLDEST_JAVA:
        said = (done.stderr or done.stdout).strip().partition("\n")[0]
        raise ServerError(
            f"{java} says {said!r}; a Neo4j server needs Java {_OLDEST_JAVA} or newer. Install one "
            "(Debian: openjdk-17-jre-headless) or let JAVA_HOME name it"
        )
    return java


def fetch_jars() -> Path:
    """Give the folder with the server's jars, fetching them with Maven only if nobody has yet.

    Raises:
        ServerError: If they are not there and Maven is missing or fails.
    """
    pom = resource_path(POM)
    folder = cache_folder() / "neo4j" / hash_file(pom)[:16]
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise ServerError(
            f"There is no mvn on the PATH and the server's jars are not in {folder} yet; install "
            "Maven (Debian: maven) and run this once with a network"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(folder.name + ".lock")):
            if not folder.is_dir():
                _copy_jars(maven, pom, folder)
    except OSError as error:
        raise write_error(folder, error) from error
    return folder


def _copy_jars(maven: str, pom: Path, folder: Path) -> None:
    # Renamed when whole: a folder of that name is never half a server.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        jars = Path(temporary) / "jars"
        done = _run(
            [
                maven,
                "--batch-mode",
                "--quiet",
                f"--file={pom}",
                "dependency:copy-dependencies",
                "-DincludeScope=runtime",
                f"-DoutputDirectory={jars}",
            ],
            seconds=_FETCH_SECONDS,
        )
        if done.returncode or not any(jars.glob("neo4j-server-*.jar")):
            said = [line for line in done.stdout.splitlines() if "ERROR" in line]
            reason = said[0].strip() if said else f"it ended with code {done.returncode}"
            raise ServerError(
                f"Maven could not fetch the server's jars ({reason}); check the network and "
                "Maven's settings, then run the same command again"
            )
        jars.rename(folder)


def _run(words: list[str], *, seconds: int) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            words,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=seconds,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ServerError(
            f"{words[0]} did not finish ({error}); check that it runs, and try again"
        ) from error
