from __future__ import annotations

from pathlib import Path

import pytest

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
