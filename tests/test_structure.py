"""The package's structure, read from its source: layers, deliberate exports, a quick import."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(importlib.import_module("orchestrator").__file__).parent

# Reading order is import order: a module imports only from its own layer or earlier ones.
LAYERS = [
    [
        "excerpts",
        "spelling",
        "errors",
        "types",
        "events",
        "recorders",
        "traces",
        "version",
        "plugins",
        "worker",
    ],
    ["_core"],
    ["pricing", "waiting", "concurrently", "fitted", "budget"],
    ["patterns"],
    ["answers"],
    ["voting", "stopping", "ranking", "confidence"],
    ["scaling"],
    ["search"],
    ["expressions"],
    ["templates"],
    ["prompts"],
    ["serving"],
    ["backends"],
    ["monitors"],
    ["rating"],
    ["resumption"],
    ["sampling"],
    ["sandbox"],
    ["asking"],
    ["contracts"],
    ["scores"],
    ["context"],
    ["costs"],
    ["verifiers"],
    ["strategies"],
    ["primitives"],
    ["programs"],
    ["runtime"],
    ["report"],
    ["cli", "__main__"],
]


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def layer_of(module: str) -> int:
    fits = [
        (len(entry), number)
        for number, layer in enumerate(LAYERS)
        for entry in layer
        if module == entry or module.startswith(entry + ".")
    ]
    assert fits, f"orchestrator.{module} belongs to no layer: add it to LAYERS"
    return max(fits)[1]


def imported_modules(path: Path) -> list[str]:
    """Modules of this package that `path` imports, also inside functions; those for typing only are left out."""
    package = path.relative_to(PACKAGE).parent.parts
    found = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            found.extend(".".join((*base, name)) for name in names)
        for inside in ast.iter_child_nodes(node):
            visit(inside)

    visit(ast.parse(path.read_text()))
    return found


SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_a_module_imports_only_from_earlier_layers(path):
    own = layer_of(module_name(path))
    for imported in imported_modules(path):
        assert layer_of(imported) <= own, f"{module_name(path)} imports {imported}, which comes later"


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_every_name_in_all_exists_once(path):
    module = importlib.import_module(f"orchestrator.{module_name(path)}".removesuffix(".__init__"))
    if not hasattr(module, "__all__"):
        pytest.fail(f"{module.__name__} has no __all__")
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert not missing
    assert len(module.__all__) == len(set(module.__all__))


FOLDERS = [path for path in SOURCES if path.name == "__init__.py"]


def names_imported(path: Path) -> list[str]:
    """Names a folder's `__init__` takes from its own modules, when it is loaded."""
    return [
        alias.asname or alias.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for alias in node.names
    ]


@pytest.mark.parametrize("path", FOLDERS, ids=module_name)
def test_every_reexport_of_a_folder_is_in_its_all(path):
    module = importlib.import_module(f"orchestrator.{module_name(path)}")
    assert set(names_imported(path)) <= set(module.__all__)


def test_the_lazy_names_of_the_package_are_its_all():
    package = importlib.import_module("orchestrator")
    assert sorted(package.__all__) == sorted([*package._HOME, *package._MODULES])
    for name in package.__all__:
        assert getattr(package, name) is not None


def test_a_folder_holds_more_than_one_module():
    for folder in PACKAGE.rglob("__init__.py"):
        siblings = [path for path in folder.parent.iterdir() if path.suffix == ".py"]
        assert len(siblings) > 2 or folder.parent == PACKAGE, f"{folder.parent} holds one module"


def printed_by(code, folder):
    """What a fresh interpreter prints, away from the source tree."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def test_importing_the_package_loads_nothing_heavy(tmp_path):
    heavy = "('openai', 'aiohttp', 'numpy', 'pydantic', 'rich', 'typer', 'ruamel', 'xllamacpp', 'sqlite3', 'jinja2')"
    code = f"import sys, orchestrator; print([name for name in {heavy} if name in sys.modules])"
    assert printed_by(code, tmp_path) == "[]"


def test_the_controller_can_be_used_without_loading_openai(tmp_path):
    code = "import sys; from orchestrator import Controller, SelfConsistency; print('openai' in sys.modules)"
    assert printed_by(code, tmp_path) == "False"


def test_the_source_tree_says_where_to_find_the_installed_package(tmp_path):
    (tmp_path / "orchestrator").mkdir()
    (tmp_path / "orchestrator" / "__init__.py").write_text((PACKAGE / "__init__.py").read_text())
    command = [sys.executable, "-c", "import orchestrator"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stderr
    assert "start Python in another directory" in said.splitlines()[-1]
