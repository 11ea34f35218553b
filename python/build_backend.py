"""Builds the wheel with maturin, and puts the program `equipoise` beside the engine."""

import json
import os
import shlex
import shutil
import subprocess
from pathlib import Path

import maturin

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE / "equipoise.data" / "scripts"
# Maturin asks for the folder at every step.
SCRIPTS.mkdir(parents=True, exist_ok=True)


def _profile():
    """The profile that maturin is told to build in, which is release unless MATURIN_PEP517_ARGS names another."""
    told = shlex.split(os.environ.get("MATURIN_PEP517_ARGS", ""))
    return told[told.index("--profile") + 1] if "--profile" in told[:-1] else "release"


def _program():
    """Build the program in the profile of the wheel, for whatever target Cargo is set to."""
    command = ["cargo", "build", "--profile", _profile(), "--locked", "-p", "equipoise-cli"]
    command.append("--message-format=json-render-diagnostics")
    done = subprocess.run(command, cwd=HERE.parent, check=True, stdout=subprocess.PIPE, text=True)
    made = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    path = Path(next(m["executable"] for m in made if m.get("executable") and m["target"]["name"] == "equipoise"))
    shutil.copy2(path, SCRIPTS / path.name)
    if os.name == "posix":
        subprocess.run(["strip", SCRIPTS / path.name], check=False)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    _program()
    return maturin.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return maturin.build_editable(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory, config_settings=None):
    return maturin.build_sdist(sdist_directory, config_settings)


def get_requires_for_build_wheel(config_settings=None):
    return maturin.get_requires_for_build_wheel(config_settings)


def get_requires_for_build_editable(config_settings=None):
    return maturin.get_requires_for_build_editable(config_settings)


def get_requires_for_build_sdist(config_settings=None):
    return maturin.get_requires_for_build_sdist(config_settings)


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    return maturin.prepare_metadata_for_build_wheel(metadata_directory, config_settings)


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
