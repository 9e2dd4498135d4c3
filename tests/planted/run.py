#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants known bugs one by one and sees whether the campaigns find them.

    run.py [--only 01,04,name] [--seconds N] [--scratch DIR] [--check]

Each tests/planted/NN-name.patch says in its first line what is broken, then names its campaigns:
`Campaign: program arguments`, a target of the build or a script of the sources. It is applied to a
copy of the sources; a campaign that ends with an error has found it, one that passes or takes
longer than N seconds has not. Each campaign must pass without a bug first, or what it finds means
nothing. Prints one JSON object a line; exits 1 where a bug was found by none, 2 where a patch does
not apply or build, or where a campaign fails without a bug. --check only looks whether all patches
apply."""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PATCHES = pathlib.Path(__file__).resolve().parent
# What a script needs that runs real processes.
PROCESSES = ["jouleway", "joulectl", "jouleway_preload"]
LEFT_OUT = {".git", "build", "node_modules", "__pycache__"}


def copy_changed(source, target):
    """Makes target equal to source, and leaves alone what is equal, so that little is built."""
    for folder, folders, files in os.walk(source):
        folders[:] = [name for name in folders if name not in LEFT_OUT]
        to = target / pathlib.Path(folder).relative_to(source)
        if to.is_file():
            to.unlink()
        to.mkdir(parents=True, exist_ok=True)
        for gone in {entry.name for entry in to.iterdir()} - {*folders, *files} - LEFT_OUT:
            shutil.rmtree(to / gone) if (to / gone).is_dir() else (to / gone).unlink()
        for name in files:
            if (to / name).is_dir():
                shutil.rmtree(to / name)
            new, old = pathlib.Path(folder) / name, to / name
            if not old.exists() or old.read_bytes() != new.read_bytes():
                shutil.copyfile(new, old)
                shutil.copymode(new, old)


class Scratch:
    """A copy of the sources with its own build."""

    def __init__(self, folder):
        self.tree, self.objects = folder / "tree", folder / "objects"
        copy_changed(ROOT, self.tree)
        self.call("cmake", "-S", self.tree, "-B", self.objects, "-G", "Ninja",
                  "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DJW_WEB=OFF")

    def call(self, *command):
        ended = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, check=False, cwd=self.tree)
        if ended.returncode != 0:
            print(ended.stdout, file=sys.stderr)
            print(f"run.py: {' '.join(map(str, command))} failed", file=sys.stderr)
            sys.exit(2)

    def plant(self, patch, targets):
        self.call("patch", "-p1", "--no-backup-if-mismatch", "-i", patch)
        self.call("cmake", "--build", self.objects, "--target", *targets)

    def clear(self):
        copy_changed(ROOT, self.tree)

    def program(self, name):
        if name.endswith(".py"):
            return [sys.executable, self.tree / name]
        return [next(path for path in self.objects.rglob(name)
                     if path.is_file() and os.access(path, os.X_OK))]

    def finds(self, name, arguments, seconds):
        """Gives (found, how long it took, the last words about it)."""
        began = time.monotonic()
        campaign = subprocess.Popen([*self.program(name), *arguments], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, text=True, start_new_session=True,
                                    env={**os.environ, "JOULEWAY_BUILD": str(self.objects)})
        try:
            said = campaign.communicate(timeout=seconds)[1].splitlines()
            found = campaign.returncode != 0
        except subprocess.TimeoutExpired:
            found, said = False, []
        finally:
            if campaign.poll() is None:
                os.killpg(campaign.pid, signal.SIGKILL)  # with all that it started
                campaign.wait()
        words = said[-1] if found and said else ""
        return found, round(time.monotonic() - began, 2), words


def campaigns_of(patch):
    lines = patch.read_text(encoding="utf-8").split("\n--- ", 1)[0].splitlines()
    found = [line.split(":", 1)[1].split() for line in lines if line.startswith("Campaign:")]
    if not found:
        print(f"{patch.name}: names no campaign", file=sys.stderr)
        sys.exit(2)
    return lines[0], found


def targets_of(campaigns):
    names = {campaign[0] for campaign in campaigns}
    scripts = {name for name in names if name.endswith(".py")}
    return sorted((names - scripts) | set(PROCESSES if scripts else ()))


def healthy(scratch, patches, seconds):
    """Whether every campaign of these patches passes on the sources as they are."""
    campaigns = sorted({tuple(words) for patch in patches for words in campaigns_of(patch)[1]})
    scratch.call("cmake", "--build", scratch.objects, "--target", *targets_of(campaigns))
    good = True
    for name, *arguments in campaigns:
        found, _, words = scratch.finds(name, arguments, seconds)
        if found:
            print(f"run.py: {name} {' '.join(arguments)} fails without a bug: {words}",
                  file=sys.stderr)
            good = False
    return good


def check(patches):
    """Whether all patches apply to the sources as they are."""
    failed = 0
    for patch in patches:
        campaigns_of(patch)
        told = subprocess.run(["patch", "-p1", "--dry-run", "--batch", "-i", patch],
                              cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if told.returncode != 0:
            failed += 1
            print(f"{patch.name}: {told.stdout}", file=sys.stderr)
    print(f"{len(patches) - failed} passed, {failed} failed, 0 skipped")
    return 2 if failed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--scratch", type=pathlib.Path, default=ROOT / "build" / "planted")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    wanted = [name for name in options.only.split(",") if name]
    patches = [patch for patch in sorted(PATCHES.glob("*.patch"))
               if not wanted or any(patch.stem == name or patch.stem.startswith(name + "-") or
                                    patch.stem.split("-", 1)[1] == name for name in wanted)]
    if not patches or len(patches) < len(wanted):
        print("run.py: no such planted bug", file=sys.stderr)
        return 2
    if options.check:
        return check(patches)
    scratch = Scratch(options.scratch)
    if not healthy(scratch, patches, options.seconds):
        return 2
    missed = 0
    for patch in patches:
        what, campaigns = campaigns_of(patch)
        scratch.plant(patch, targets_of(campaigns))
        results = {}
        for name, *arguments in campaigns:
            found, seconds, words = scratch.finds(name, arguments, options.seconds)
            results[name] = {"found": found, "seconds": seconds, "says": words}
        scratch.clear()
        seen = any(result["found"] for result in results.values())
        missed += not seen
        print(json.dumps({"planted": patch.stem, "what": what, "found": seen,
                          "campaigns": results}), flush=True)
    print(f"{len(patches) - missed} passed, {missed} failed, 0 skipped")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
