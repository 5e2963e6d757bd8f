# SPDX-FileCopyrightText: 2026 The vpsdotorg.cloud authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: python -m vps_lab --help."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from vps_lab import capsule, check, image
from vps_lab.cloud import DEFAULT_FOLDER
from vps_lab.tools import LabError

if TYPE_CHECKING:
    from vps_lab.lab import Lab

UP = """
The lab is up. {servers}

  enter it:   {python} -m vps_lab enter {pid}
  API:        {VPS_API_URL}
  token:      {VPS_API_TOKEN}
  inventory:  {VPS_LAB_INVENTORY}
  ssh key:    {key}
  API log:    {log}

All of this can be reached from inside only. Ctrl-C ends everything and leaves nothing behind.
"""


def main(arguments: list[str]) -> int:
    """Run one command; returns its exit status."""
    options = _parser().parse_args(arguments)
    try:
        return options.action(options)
    except LabError as error:
        print(f"vps_lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def do_check(_options: argparse.Namespace) -> int:
    """Say whether this machine can run the lab."""
    lacking = check.missing()
    for line in lacking:
        print(f"missing: {line}")
    if not lacking:
        print("This machine can run the lab.")
    return 1 if lacking else 0


def do_image(_options: argparse.Namespace) -> int:
    """Build the base image unless it is in the cache."""
    print(image.ensure())
    return 0


def do_capsule(options: argparse.Namespace) -> int:
    """Run a command in a capsule with nothing else in it."""
    return _enter_new_capsule(options, lambda: _execute(options.command, {}))


def do_run(options: argparse.Namespace) -> int:
    """Run a command beside a lab."""

    def inside() -> int:
        with _lab(options) as lab:
            return _execute(options.command, lab.environment)

    return _enter_new_capsule(options, inside)


def do_up(options: argparse.Namespace) -> int:
    """Bring a lab up and keep it until Ctrl-C."""

    def inside() -> int:
        with _lab(options) as lab:
            names = ", ".join(f"{server.name} {server.address} (id {server.id})" for server in lab.servers)
            pid = os.environ.get(capsule.PID_VARIABLE)
            facts = {
                **lab.environment,
                "key": lab.key,
                "log": f"{lab.emulator.url.removesuffix('/api/v1')}/_emulator/requests/",
            }
            print(UP.format(servers=names, pid=pid, python=sys.executable, **facts), flush=True)
            try:
                signal.pause()
            except KeyboardInterrupt:
                print("The lab goes down.")
        return 0

    return _enter_new_capsule(options, inside)


def do_publish(options: argparse.Namespace) -> int:
    """Offer a version of hello-web, or a .deb file of one's own, to the servers of the lab that this runs in."""
    capsule.require_inside()
    from vps_lab.repository import Repository

    repository = Repository(DEFAULT_FOLDER / "repository")
    if not repository.folder.is_dir():
        raise LabError("there is no lab in this capsule: start one with 'python -m vps_lab run -- COMMAND'")
    if options.package.endswith(".deb"):
        if not Path(options.package).is_file():
            raise LabError(f"there is no file {options.package}")
        repository.publish_file(Path(options.package))
    else:
        repository.publish(options.package)
    print(f"{options.package} is in the servers' apt repository.")
    return 0


def do_enter(options: argparse.Namespace) -> int:
    """Run a command, or a shell, inside a lab that is up."""
    command = options.command or [os.environ.get("SHELL", "/bin/sh")]
    load = f'[ ! -e "{DEFAULT_FOLDER}/environment" ] || . "{DEFAULT_FOLDER}/environment"; exec "$@"'
    capsule.enter(options.pid, ["sh", "-c", load, "sh", *command])


def _enter_new_capsule(options: argparse.Namespace, inside: Callable[[], int]) -> int:
    """Call INSIDE if this is a capsule; else prepare what needs the network and begin again in a new one."""
    if capsule.is_inside():
        return inside()
    if lacking := check.missing():
        raise LabError("this machine cannot run the lab:\n" + "\n".join(f"  {line}" for line in lacking))
    base = image.ensure()
    os.environ[image.IMAGE_VARIABLE] = str(base)
    if options.security_updates:
        os.environ[image.UPDATES_VARIABLE] = str(image.security_updates(base))
    return capsule.run([sys.executable, "-m", "vps_lab", *sys.argv[1:]])


def _lab(options: argparse.Namespace) -> Lab:
    # Here, since it needs the emulator, which the other commands do without.
    from vps_lab.lab import Lab

    return Lab(options.servers, time_scale=options.time_scale, store=options.store)


def _execute(command: list[str], environment: dict[str, str]) -> int:
    try:
        status = subprocess.call(command, env={**os.environ, **environment})
    except OSError as error:
        raise LabError(f"cannot run {command[0]}: {error.strerror}") from error
    return status if status >= 0 else 128 - status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m vps_lab", description="Real servers on this machine behind the emulated VPS.org API."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, action: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=action.__doc__, description=action.__doc__)
        one.set_defaults(action=action)
        return one

    add("check", do_check)
    add("image", do_image)
    for name, action in (("up", do_up), ("run", do_run), ("capsule", do_capsule)):
        one = add(name, action)
        one.add_argument("--security-updates", action="store_true", help="download Debian's pending updates first")
        if action is not do_capsule:
            one.add_argument("--servers", type=int, default=2, metavar="N", help="how many servers (%(default)s)")
            one.add_argument("--store", default="overlay", help="overlay or copy (%(default)s)")
            one.add_argument(
                "--time-scale", type=float, default=600, metavar="N", help="API minutes pass N times faster"
            )
        if action is not do_up:
            one.add_argument("command", nargs="+", metavar="COMMAND")
    one = add("publish", do_publish)
    one.add_argument("package", help="a version of hello-web, such as 1.0 or 2.0+health, or the path of a .deb file")
    one = add("enter", do_enter)
    one.add_argument("pid", type=int, help="the number that 'up' printed")
    one.add_argument("command", nargs="*", metavar="COMMAND")
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
