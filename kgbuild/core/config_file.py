"""Reading a config: YAML, then `key=value` settings, and the nearest valid key for a wrong one."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from kgbuild.core.config import BuildConfig
from kgbuild.core.errors import ConfigError, did_you_mean
from kgbuild.core.files import read_text


def load_config(path: Path | None, *, settings: Iterable[str] = ()) -> BuildConfig:
    """Read a config file and apply `section.key=value` settings over it.

    Args:
        path: YAML file; None is all defaults.
        settings: Such as `critic.target_precision=0.8`; the value is read as YAML.

    Raises:
        ConfigError: If the YAML is malformed, a key is unknown or a value breaks its rule.
    """
    tree: dict[str, Any] = {}
    where = str(path) if path else "the settings"
    if path is not None:
        loaded = read_value(read_text(path), where=where)
        if loaded is not None and not isinstance(loaded, dict):
            raise ConfigError(f"{path} holds no mapping of sections; see data/configs/demo.yaml")
        tree = loaded or {}
    for setting in settings:
        _apply(tree, setting)
    try:
        return BuildConfig.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(f"{where}: {explain(error)}") from error


def read_value(text: str, *, where: str) -> Any:
    """Read YAML as plain values.

    Raises:
        ConfigError: If it is not YAML, or holds a value that nothing stands for.
    """
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{where}:{line} is not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{where} is not YAML: {error}") from error
    # A day such as 2024-02-30, a number of thousands of digits, brackets a thousand deep.
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{where} holds a value that cannot be read: {error}") from error


def _apply(tree: dict[str, Any], setting: str) -> None:
    key, separator, value = setting.partition("=")
    if not separator or not key.strip():
        raise ConfigError(
            f"--set {setting!r} has no key=value form; write for example "
            "--set critic.target_precision=0.8"
        )
    *sections, leaf = key.strip().split(".")
    place = tree
    for section in sections:
        inner = place.setdefault(section, {})
        if not isinstance(inner, dict):
            raise ConfigError(f"--set {setting!r}: {section} is a value, not a section")
        place = inner
    place[leaf] = read_value(value, where=f"--set {key}")


def explain(error: ValidationError, *, root: type[BaseModel] = BuildConfig) -> str:
    """Say which setting is wrong, what it should be, or which name is near an unknown one.

    Args:
        root: The section that was read.
    """
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "model_type":
        keys = type(getattr(root(), place)).model_fields
        return (
            f"{place} = {_shorten(first.get('input'))}: it is a section; set one of its keys, "
            f"as in {place}.{next(iter(keys))}"
        )
    if first["type"] == "tuple_type":
        given = _shorten(first.get("input"))
        return f"{place} = {given}: it is a list; write it as {place}=[one, two]"
    if first["type"] != "extra_forbidden":
        rule = first["msg"].removeprefix("Value error, ").replace("Input should", "it should")
        return f"{place} = {_shorten(first.get('input'))}: {rule}"
    *sections, leaf = (str(part) for part in first["loc"])
    section = root
    for name in sections:
        kind = section.model_fields[name].annotation
        section = kind if isinstance(kind, type) and issubclass(kind, BaseModel) else section
    known = section.model_fields
    near = did_you_mean(leaf, known) or f"; known are {', '.join(known)}"
    return f"{place} is not a setting{near}"


def _shorten(value: Any) -> str:
    # Aliases can make a few lines of YAML a value of many gigabytes.
    short = reprlib.Repr()
    short.maxlevel, short.maxstring, short.maxother = 2, 80, 80
    return short.repr(value)
