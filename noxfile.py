# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""All checks and tests of the collection: `nox -l` lists them.

What is not written here is configured in antsibull-nox.toml.
"""

# /// script
# dependencies = ["antsibull-nox>=1.10", "nox>=2026.8", "packaging", "uv"]
# ///

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import antsibull_nox
import nox
from packaging.version import Version

ROOT = Path(__file__).resolve().parent
COLLECTION = "vpsdotorg.cloud"
# ansible-core, and the Pythons it runs on. All tests need 3.11 (the emulator), so 2.16 does not get its 3.10.
MATRIX = {
    "2.16": ("3.11", "3.12"),
    "2.17": ("3.11", "3.12"),
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
}
# What a developer's machine takes by default. The others run where they are named, as in CI: `nox -s tests-2.17`.
USUAL_CORES = ("2.16", "2.19", "2.21")
PREFERRED_CORE = "2.19"
# Processes of pytest: more than a small machine has processors, as tests also wait.
WORKERS = "3"
GET_PIP_NAMES = ("get_pip_23_1_2.py", "get_pip_24_2.py", "get_pip_25_2.py")
# What an installed collection may hold, beside the two manifests that ansible-galaxy writes.
SHIPPED = {
    "CHANGELOG.md",
    "COPYING",
    "LICENSES",
    "README.md",
    "changelogs",
    "docs",
    "extensions",
    "meta",
    "playbooks",
    "plugins",
    "roles",
}
# Of the lab's own tests those that the end-to-end tests build on; `pytest tests/lab` runs all.
LAB_TESTS = [f"tests/lab/tests/test_{name}.py" for name in ("check", "capsule", "rootless", "lab")]
# The version stands in galaxy.yml; the User-Agent cannot read that file once the collection is installed.
VERSION_LINES = {
    "galaxy.yml": r"^(version: ).*()$",
    "plugins/module_utils/_http.py": r"^(COLLECTION_VERSION = \").*(\")$",
}

# Ansible starts a Python for each run, module and worker: none of them should compile the libraries anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.reuse_venv = "yes"
if " " in str(ROOT):
    # A program's first line cannot name a Python in such a path, and the detour around that breaks ansible-test 2.16.
    home = hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]
    nox.options.envdir = str(Path.home() / ".cache" / "vpsdotorg-nox" / home)


def use_real_pythons() -> None:
    """Put pyenv's interpreters on PATH instead of its shims: there is one for each version, but most of them fail."""
    path = [Path(folder) for folder in os.environ["PATH"].split(os.pathsep)]
    # A PATH may name another user's folders.
    shims = [folder for folder in path if folder.name == "shims" and os.access(folder, os.X_OK)]
    real = [python for folder in shims for python in sorted(folder.parent.glob("versions/3.*/bin"), reverse=True)]
    path = [folder for folder in path if folder not in shims] + real + [Path(sys.base_prefix, "bin")]
    os.environ["PATH"] = os.pathsep.join(map(str, path))


@functools.cache
def runs(python: str) -> bool:
    """Tell whether this Python is here and complete: distributions ship it in parts."""
    executable = shutil.which(f"python{python}")
    command = [executable or "", "-c", "import ensurepip, sqlite3, ssl, venv"]
    return bool(executable) and subprocess.run(command, capture_output=True, check=False).returncode == 0


def wanted_cores() -> list[str]:
    """The usual ansible-cores, those that the command line names, and with EVERY_CORE all of the matrix."""
    named = " ".join(sys.argv)
    return [core for core in MATRIX if core in USUAL_CORES or core in named or os.environ.get("EVERY_CORE")]


def find_pythons() -> dict[str, str]:
    """Map each ansible-core that is wanted to the first Python here that it runs on; say which has none."""
    found = {core: next(filter(runs, MATRIX[core]), "") for core in wanted_cores()}
    for core in [core for core, python in found.items() if not python]:
        print(f"Left out: ansible-core {core}, as none of Python {', '.join(MATRIX[core])} is here.", file=sys.stderr)
        del found[core]
    if not found:
        sys.exit("No Python of the matrix is here. Install Python 3.12: every ansible-core of it runs on that one.")
    return found


use_real_pythons()
PYTHONS = find_pythons()
MAIN_CORE = PREFERRED_CORE if PREFERRED_CORE in PYTHONS else list(PYTHONS)[-1]
# As `make test` has it: one ansible-core, and of the playbook tests the smoke tests alone.
if ONE_CORE := bool(os.environ.get("ONE_CORE")):
    PYTHONS = {MAIN_CORE: PYTHONS[MAIN_CORE]}

antsibull_nox.load_antsibull_nox_toml()


def put_get_pip() -> None:
    """Spare ansible-test its download of get-pip from Ansible's file server."""
    cache = Path.home() / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    for name in GET_PIP_NAMES:
        shutil.copyfile(ROOT / "tests" / "utils" / "get_pip.py", cache / name)


def drop_scratch() -> None:
    """Delete what antsibull-nox cannot copy back: it expects to find a flat folder."""
    shutil.rmtree("tests/output/.tmp", ignore_errors=True)


def collection_archive(session: nox.Session) -> Path:
    """Build the archive in the session's own folder; return its path."""
    folder = Path(session.create_tmp()) / "dist"
    shutil.rmtree(folder, ignore_errors=True)
    session.run("ansible-galaxy", "collection", "build", "--output-path", str(folder), silent=True)
    return next(folder.glob("*.tar.gz"))


def install_collection(session: nox.Session, source: Path) -> Path:
    """Install the collection from an archive or a folder into an empty place, where Ansible then looks for it."""
    place = Path(session.create_tmp()).resolve() / "collections"
    shutil.rmtree(place, ignore_errors=True)
    session.run("ansible-galaxy", "collection", "install", str(source), "--offline", "-p", str(place), silent=True)
    session.env["ANSIBLE_COLLECTIONS_PATH"] = str(place)
    return place / "ansible_collections" / "vpsdotorg" / "cloud"


def install_once(session: nox.Session, *packages: str) -> None:
    """Install, unless just that is in the session's environment already: the second time needs no network."""
    names = ("meta/ee-requirements.txt", "tests/emulator/pyproject.toml")
    wanted = "\n".join([str(ROOT), *packages, *((ROOT / name).read_text(encoding="utf-8") for name in names)])
    stamp = Path(session.virtualenv.location, "installed.txt")
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        session.install(*packages)
        stamp.write_text(wanted, encoding="utf-8")


@nox.session
def ruff(session: nox.Session) -> None:
    """Check format and style of the Python files (the session format rewrites them)."""
    session.install("ruff")
    session.run("ruff", "format", "--check", "--diff", ".")
    session.run("ruff", "check", ".")


@nox.session(default=False)
def format(session: nox.Session) -> None:  # noqa: A001
    """Rewrite the Python files in the house style."""
    session.install("ruff")
    session.run("ruff", "format", ".")
    session.run("ruff", "check", "--fix", ".")


@nox.session
def changelog(session: nox.Session) -> None:
    """Check the changelog fragments."""
    session.install("antsibull-changelog")
    session.run("antsibull-changelog", "lint")


@nox.session(name="import-check")
def import_check(session: nox.Session) -> None:
    """Build the archive and let the importer of Ansible Galaxy judge it; a warning fails."""
    session.install("galaxy-importer", "ansible-core")
    archive = collection_archive(session)
    with session.chdir(archive.parent):
        log = session.run("python", "-m", "galaxy_importer.main", archive.name, silent=True) or ""
    if complaints := [line for line in log.splitlines() if line.startswith(("WARNING", "ERROR"))]:
        session.error("galaxy-importer is not content:\n" + "\n".join(complaints))


@nox.session
def install(session: nox.Session) -> None:
    """Build the archive, install it elsewhere, look at what it holds, read every plugin's documentation from there."""
    session.install("ansible-core", "-r", "meta/ee-requirements.txt")
    installed = install_collection(session, collection_archive(session))
    if unwanted := {path.name for path in installed.iterdir()} - SHIPPED - {"FILES.json", "MANIFEST.json"}:
        session.error(
            f"The archive holds what no user needs: {', '.join(sorted(unwanted))}. See build_ignore in galaxy.yml."
        )
    kinds = {
        "module": "plugins/modules/*.py",
        "inventory": "plugins/inventory/*.py",
        "filter": "plugins/filter/*.py",
        "role": "roles/*",
    }
    for kind, pattern in kinds.items():
        names = {f"{COLLECTION}.{path.stem}" for path in installed.glob(pattern)}
        if not names:
            session.error(f"The archive holds no {kind}: nothing is like {pattern}.")
        # ansible-doc exits with 0 when it does not find a plugin, so its answer counts.
        answer = session.run("ansible-doc", "--json", "-t", kind, *sorted(names), silent=True, stderr=sys.stderr)
        if missing := names - set(json.loads(answer or "{}")):
            session.error(f"ansible-doc finds no documentation of the {kind} {', '.join(sorted(missing))}.")


@nox.session(tags=["tests", "quick"])
def emulator(session: nox.Session) -> None:
    """Test the emulator, a project of its own that knows nothing of Ansible."""
    session.install("-e", "tests/emulator[test]", "pytest-xdist")
    proxies = {name: None for name in os.environ if name.lower().endswith("_proxy")}
    session.run("pytest", "-n", WORKERS, *(session.posargs or ["tests/emulator"]), env=proxies)


@nox.session(python=PYTHONS[MAIN_CORE], tags=["tests", "quick"])
def faults(session: nox.Session) -> None:
    """Try every task with every fault at every call (tests/faults), and hold docs/reliability.md against it."""
    session.install(f"ansible-core~={MAIN_CORE}.0", "-r", "tests/requirements.txt")
    session.run("pytest", "-n", WORKERS, *(session.posargs or ["tests/faults"]))


@nox.session(python=PYTHONS[MAIN_CORE], tags=["tests"])
def awx(session: nox.Session) -> None:
    """Set up a stand-in for AWX with the real modules of awx.awx, and run its jobs as AWX does."""
    # The package ansible brings awx.awx along; no index has it alone.
    tools = ("ansible==11.*", "ansible-builder", "ansible-runner", "python-dateutil")
    session.install(*tools, "-r", "tests/requirements.txt", "-e", "tests/emulator")
    session.run("pytest", "-n", WORKERS, "--dist=loadfile", *(session.posargs or ["tests/awx"]))


# The slow playbook tests run whole on the main ansible-core only.
EVERYTHING = [["tests/unit", "tests/playbooks"]]
SMOKE = [["tests/unit"], ["tests/playbooks", "-m", "smoke"]]


def run_tests(session: nox.Session, core: str, usual: list[list[str]]) -> None:
    """Run pytest on one ansible-core.

    :param core: What pip installs it from.
    :param usual: The arguments of each run of pytest, where the user gives none.
    """
    session.install(core, "-r", "tests/requirements.txt", "-e", "tests/emulator")
    for arguments in [session.posargs] if session.posargs else usual:
        session.run("pytest", "-n", WORKERS, "--dist=loadfile", *arguments)


def add_tests(core: str, python: str) -> None:
    """Add the session that runs pytest on one ansible-core."""

    @nox.session(name=f"tests-{core}", python=python, tags=["tests", "quick"])
    def tests(session: nox.Session) -> None:
        run_tests(session, f"ansible-core~={core}.0", EVERYTHING if core == MAIN_CORE and not ONE_CORE else SMOKE)

    tests.__doc__ = f"Run the unit, module and playbook tests on ansible-core {core}."


# Not called tests-devel: the matrix of CI is what is called tests or sanity, and this one may fail.
@nox.session(default=False)
def devel(session: nox.Session) -> None:
    """Run the unit, module and smoke tests on the development branch of ansible-core, from GitHub."""
    run_tests(session, "https://github.com/ansible/ansible/archive/devel.tar.gz", SMOKE)


for core, python in PYTHONS.items():
    add_tests(core, python)
    # All Pythons here are left to the cores at both ends, as each costs two environments.
    in_between = ONE_CORE or core in list(PYTHONS)[1:-1]
    antsibull_nox.add_ansible_test_session(
        name=f"sanity-{core}",
        description=f"Run ansible-test sanity on ansible-core {core}.",
        ansible_test_params=[
            "sanity",
            "--local",
            *(["--python", python] if in_between else []),
            # What pylint says hangs on the code alone: once is enough, and it takes as long as the rest.
            *([] if core == MAIN_CORE or os.environ.get("EVERY_CORE") else ["--skip-test", "pylint"]),
        ],
        ansible_core_version=core,
        ansible_core_source="pypi",
        callback_before=put_get_pip,
        callback_after=drop_scratch,
        default=True,
    )


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation site, in tests/output/docs/build/html; a warning fails, and no network is needed."""
    session.install("antsibull-docs", "ansible-core", "ansible-pygments", "sphinx", "sphinx-ansible-theme", "sphobjinv")
    session.install("-r", "meta/ee-requirements.txt", "-e", "tests/emulator")
    site = ROOT / "tests" / "output" / "docs"
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir(mode=0o755, parents=True)
    install_collection(session, ROOT)
    session.run(
        "antsibull-docs", "sphinx-init", "--use-current", "--squash-hierarchy", f"--dest-dir={site}", COLLECTION
    )
    session.run("python", "tests/utils/offline_references.py", str(site))
    with session.chdir(site / "rst"):
        generate = ["collection", "--use-current", "--squash-hierarchy", f"--dest-dir={site / 'rst'}", COLLECTION]
        session.run("antsibull-docs", f"--config-file={site / 'antsibull-docs.cfg'}", *generate)
    # Of the guides, antsibull-docs takes the text alone.
    shutil.copytree("docs/docsite/rst/images", site / "rst" / "docsite" / "images")
    session.run("python", "tests/utils/pictures.py", str(site / "rst" / "docsite" / "images"))
    html = ["-W", "--keep-going", "-q", "-b", "html", "-c", str(site), str(site / "rst"), str(site / "build" / "html")]
    session.run("sphinx-build", *html)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure against the peers, which PyPI's ansible brings, and write docs/benchmarks.md."""
    session.install("ansible", "python-dateutil", "-r", "meta/ee-requirements.txt", "-e", "tests/emulator")
    install_collection(session, ROOT)
    session.run("python", "tests/bench/run.py", *session.posargs)


@nox.session(default=False)
def demo(session: nox.Session) -> None:
    """Show a good update and a bad one that is rolled back; it needs a network the first time only."""
    install_once(session, "ansible-core", "-r", "meta/ee-requirements.txt", "-e", "tests/emulator")
    install_collection(session, ROOT)
    session.run("python", "tests/demo/run.py", *session.posargs)


@nox.session(default=False)
def lab(session: nox.Session) -> None:
    """Run a command, or a shell, beside servers that can die (tests/lab): nothing of it leaves this machine."""
    session.install("ansible-core", "-r", "meta/ee-requirements.txt", "-e", "tests/emulator", "-e", "tests/lab")
    install_collection(session, ROOT)
    command = session.posargs or [os.environ.get("SHELL", "sh")]
    session.run("python", "-m", "vps_lab", "run", "--", *command)


@nox.session(default=False)
def e2e(session: nox.Session) -> None:
    """Test the playbooks end to end, on real servers in two labs side by side."""
    tools = {
        "ip": "iproute2",
        "mmdebstrap": "mmdebstrap",
        "newuidmap": "uidmap",
        "ssh": "openssh-client",
        "zstd": "zstd",
    }
    path = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
    if missing := [package for tool, package in tools.items() if not shutil.which(tool, path=path)]:
        session.error(
            f"The lab needs {', '.join(missing)}. As root, .ci/run e2e installs that (Debian, Ubuntu) and goes on."
        )
    packages = ["-r", "tests/requirements.txt", "-e", "tests/emulator", "-e", "tests/lab"]
    session.install(f"ansible-core~={MAIN_CORE}.0", *packages)
    if not session.posargs:
        session.run("pytest", *LAB_TESTS)
    capsule = ["python", "-m", "vps_lab", "capsule", "--security-updates", "--"]
    # What the lab takes from the network is there before two workers ask for it, each in a capsule of its own.
    session.run(*capsule, "true")
    workers = f"2*popen//python={shlex.join([*capsule, 'python'])}"
    session.run("pytest", "--tx", workers, "--dist=loadfile", *(session.posargs or ["tests/e2e"]))


@nox.session(default=False)
def release(session: nox.Session) -> None:
    """Prepare the release VERSION: changelog, version and archive; commits nothing."""
    if len(session.posargs) != 1 or not re.fullmatch(r"\d+\.\d+\.\d+(-(alpha|beta|rc)\.\d+)?", session.posargs[0]):
        session.error("Name one semantic version: make release VERSION=1.2.3, or 1.2.3-rc.1")
    version = session.posargs[0]
    session.install("antsibull-changelog", "ansible-core")
    session.run("antsibull-changelog", "lint")
    log = ROOT / "changelogs" / "changelog.yaml"
    released = re.findall(r"^  (\d+\.\S+):$", log.read_text(encoding="utf-8"), re.MULTILINE) if log.exists() else []
    if newer := [each for each in released if Version(each) >= Version(version)]:
        session.error(f"{version} is not newer than what is released already: {', '.join(newer)}.")
    if not [*ROOT.glob("changelogs/fragments/*.yml")]:
        session.error("There is nothing to release: changelogs/fragments holds no fragment.")
    for name, pattern in VERSION_LINES.items():
        text, count = re.subn(pattern, rf"\g<1>{version}\g<2>", (ROOT / name).read_text(encoding="utf-8"), flags=re.M)
        if count != 1:
            session.error(f"{name} has {count} lines that look like {pattern}: exactly one is expected.")
        (ROOT / name).write_text(text, encoding="utf-8")
    session.run("antsibull-changelog", "release", "--version", version)
    session.run("ansible-galaxy", "collection", "build", "--force", "--output-path", "dist")
    session.log(f"Now read `git diff`, and go on as CONTRIBUTING.md says: commit, tag {version}, publish.")


if __name__ == "__main__":
    nox.main()
