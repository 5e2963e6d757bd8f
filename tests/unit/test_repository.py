# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in several files of the repository agrees; that the User-Agent does is tested with the client."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

CLONE = Path(__file__).resolve().parents[2]
README = (CLONE / "README.md").read_text(encoding="utf-8")


def in_noxfile(name: str) -> object:
    """The value that a name is given in noxfile.py."""
    tree = ast.parse((CLONE / "noxfile.py").read_text(encoding="utf-8"))
    found = [node.value for node in tree.body if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name]
    return ast.literal_eval(found[0])


def test_the_versions_that_the_readme_promises_are_those_that_are_tested_and_required() -> None:
    tested = list(in_noxfile("MATRIX"))
    row = next(line for line in README.splitlines() if "(tested with" in line)
    assert re.findall(r"\d\.\d\d", row.partition("(tested with")[2].partition(")")[0]) == tested
    assert f"| {tested[0]} to {tested[-1]} " in row
    runtime = yaml.safe_load((CLONE / "meta" / "runtime.yml").read_text())
    assert runtime["requires_ansible"] == f">={tested[0]}.0"


def test_a_release_finds_each_line_with_the_version_once() -> None:
    version = yaml.safe_load((CLONE / "galaxy.yml").read_text())["version"]
    for file, pattern in in_noxfile("VERSION_LINES").items():
        lines = [match[0] for match in re.finditer(pattern, (CLONE / file).read_text(encoding="utf-8"), re.MULTILINE)]
        assert len(lines) == 1, file
        assert version in lines[0]


@pytest.mark.parametrize(
    "pattern", ["plugins/modules/*.py", "plugins/filter/*.py", "plugins/inventory/*.py", "roles/*"]
)
def test_the_readme_names_every_plugin_and_role(pattern: str) -> None:
    names = [path.stem for path in CLONE.glob(pattern)]
    assert names
    assert [name for name in names if f"`{name}`" not in README] == []


def test_the_readme_names_every_playbook() -> None:
    names = [path.stem for path in CLONE.glob("playbooks/*.yml")]
    assert [name for name in names if f"`vpsdotorg.cloud.{name}`" not in README] == []


def test_the_readme_says_where_to_turn_to() -> None:
    galaxy = yaml.safe_load((CLONE / "galaxy.yml").read_text())
    assert f"]({galaxy['issues']})" in README
    assert f"]({galaxy['repository']}/blob/main/CHANGELOG.md)" in README
    (code,) = re.findall(r"\]\((\S+code_of_conduct\S*)\)", README)
    assert code in (CLONE / "CODE_OF_CONDUCT.md").read_text(encoding="utf-8")


def test_no_plugin_needs_a_newer_python_than_the_image_that_awx_brings() -> None:
    """Python 3.9 has no strict zip, and names of Python 3.10 fail where they are called."""
    newer = re.compile(
        r"\bzip\([^\n]*strict=|^\s+match .*:$|\bpairwise\(|dataclass\([^)]*(slots|kw_only)=|isinstance\([^\n]*\|", re.M
    )
    files = sorted((CLONE / "plugins").rglob("*.py"))
    assert [str(file) for file in files if newer.search(file.read_text(encoding="utf-8"))] == []


def test_each_file_that_the_inclusion_table_names_is_there() -> None:
    text = (CLONE / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = text.partition("| MUST | met by |")[2].partition("\n## ")[0].splitlines()[2:]
    named = [
        name
        for row in rows
        for name in re.findall(r"`([\w./*-]+/[\w./*-]*|[\w-]+\.\w+)`", row.split("|")[-2] if row else "")
    ]
    assert len(named) > 12
    made_by_a_release = {"changelogs/changelog.yaml", "tests/sanity/ignore-*.txt"}
    assert [name for name in named if name not in made_by_a_release and not [*CLONE.glob(name)]] == []
    assert [*CLONE.glob("tests/sanity/ignore-*.txt")] == []


def test_the_role_has_few_names_of_its_own() -> None:
    files = [*CLONE.glob("roles/**/*.yml"), *CLONE.glob("playbooks/**/*.yml")]
    names = {name for file in files for name in re.findall(r"__safe_update_[a-z_]+", file.read_text(encoding="utf-8"))}
    # More of them are a rule that thinks in YAML.
    assert len(names) <= 25, sorted(names)
