import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent


def run(*command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=HERE, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_stubs_say_what_the_engine_is():
    run("mypy.stubtest", "equipoise._engine", "--mypy-config-file", "pyproject.toml")


def test_the_package_is_typed():
    run("mypy")
