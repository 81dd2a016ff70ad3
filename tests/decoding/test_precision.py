from __future__ import annotations

from pathlib import Path

import pytest
import torch

from kgbuild.core.errors import ModelError
from kgbuild.decoding import precision


@pytest.mark.parametrize(
    ("cpuinfo", "wanted"),
    [
        ("processor : 0\nflags\t\t: fpu sse avx512f avx512_bf16\n", "bfloat16"),
        ("processor : 0\nFeatures : fp asimd bf16\n", "bfloat16"),
        ("processor : 0\nflags : fpu avx2 avx512f\nflags : avx512_bf16\n", "float32"),
        ("", "float32"),
        (None, "float32"),
    ],
)
def test_auto_is_bfloat16_only_where_the_processor_multiplies_it(
    cpuinfo: str | None, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if cpuinfo is not None:
        (tmp_path / "cpuinfo").write_text(cpuinfo)
    monkeypatch.setattr(precision, "_PROCESSORS", tmp_path / "cpuinfo")
    precision.read_processor_flags.cache_clear()
    assert precision.choose_dtype("auto") == wanted
    assert precision.choose_dtype("bfloat16") == "bfloat16"
    precision.read_processor_flags.cache_clear()


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for device in ("cpu", "cuda", "cuda:1"):
        precision.check_device(device)
    with pytest.raises(ModelError, match=r"cuda:2 is not there: torch sees 2 CUDA cards; use cpu"):
        precision.check_device("cuda:2")
    with pytest.raises(ModelError, match=r"'gpu' is none; use cpu, cuda"):
        precision.check_device("gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ModelError, match="torch sees 0 CUDA cards"):
        precision.check_device("cuda")


@pytest.mark.parametrize(("can", "wanted"), [(True, "bfloat16"), (False, "float32")])
def test_a_card_says_itself_what_it_multiplies(
    can: bool, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: can)
    assert precision.choose_dtype("auto", device="cuda:1") == wanted
    assert precision.choose_dtype("float32", device="cuda") == "float32"
