"""Executes the notebooks, cell by cell, and asks each result for the page that a notebook shows."""

import ast
import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def execute(name):
    """Values of the cells that end in an expression."""
    names, shown = {}, []
    for cell in json.loads((EXAMPLES / name).read_text())["cells"]:
        if cell["cell_type"] != "code":
            continue
        body = ast.parse("".join(cell["source"])).body
        last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
        exec(compile(ast.Module(body, []), name, "exec"), names)
        if last is not None:
            shown.append(eval(compile(ast.Expression(last.value), name, "eval"), names))
    return names, shown


def test_a_shop_from_data_frames():
    names, shown = execute("shop.ipynb")
    pages = [value._repr_html_() for value in shown if hasattr(value, "_repr_html_")]
    assert len(pages) >= 6 and "<iframe" in pages[1]
    price = dict(zip(names["books"]["item"], names["books"]["price"]))
    assert all(price[row["item"]] <= 20 for row in shown[2].rows())
    assert [int(row["item"].split("-")[1]) % 4 for row in shown[-1].rows()] == [2, 2, 2]


def test_a_pytorch_model_audited():
    try:
        import torch  # noqa: F401
    except (ImportError, OSError, ValueError) as error:
        pytest.skip(f"no PyTorch: {error}")
    names, shown = execute("audit_pytorch.ipynb")
    verdicts = {verdict.modality for verdict in shown[3].verdicts}
    assert verdicts == {"image", "noise"} and "<iframe" in shown[3]._repr_html_()
    assert all(0 < value <= 1 for value in shown[-1].values())


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_are_kept_without_results(path):
    notebook = json.loads(path.read_text())
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in notebook["cells"])
