from pathlib import Path

import pytest

from kgbuild.core.config import BuildConfig
from kgbuild.core.config_file import load_config
from kgbuild.core.errors import ConfigError
from kgbuild.core.resources import resource_path


def test_the_shipped_configs_are_valid() -> None:
    for path in sorted(resource_path("data/configs").glob("*.yaml")):
        assert load_config(path).name == path.stem


def test_a_setting_goes_over_the_file(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("critic: {target_precision: 0.8}\n")
    config = load_config(path, settings=["critic.target_precision=0.7", "seed=3"])
    assert (config.critic.target_precision, config.seed) == (0.7, 3)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("critic.target_precison=0.8", "did you mean target_precision"),
        ("crittic.seed=1", "crittic is not a setting; did you mean critic"),
        ("critic.target_precision=2", "critic.target_precision = 2"),
        ("critic.target_precision", "no key=value form"),
        ("seed.x.y=1", "seed"),
        ("store.kind=memory", "ladybug"),
        ("name=2024-02-30", "--set name holds a value that cannot be read"),
        ("seed=" + "1" * 5000, "--set seed holds a value that cannot be read"),
        ("name=" + "[" * 5000, "--set name holds a value that cannot be read"),
    ],
)
def test_a_wrong_setting_is_named_with_the_way_out(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(None, settings=[setting])


def test_malformed_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("name: x\ncritic: [1, 2\n")
    with pytest.raises(ConfigError, match=r"broken.yaml:3 is not YAML"):
        load_config(path)


def test_a_file_without_sections_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("- a\n- b\n")
    with pytest.raises(ConfigError, match="no mapping"):
        load_config(path)


def test_a_value_that_aliases_make_huge_is_refused_in_a_short_message(tmp_path: Path) -> None:
    path = tmp_path / "bomb.yaml"
    doubled = ", ".join(f"&a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))
    path.write_text(f"name: [&a0 [x, x], {doubled}]\n")
    with pytest.raises(ConfigError, match="name = ") as error:
        load_config(path)
    assert len(str(error.value)) < 1000


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    path = tmp_path / "empty.yaml"
    path.write_text("")
    assert load_config(path) == BuildConfig()


def test_every_knob_has_a_description() -> None:
    for section in BuildConfig.model_fields.values():
        inner = getattr(section.annotation, "model_fields", None)
        for name, field in (inner or {"": section}).items():
            assert field.description or (inner is None and section.description), name
