"""Write what is generated of the docs: ``python docs/generate.py``; ``--check`` only compares.

Generated are ``docs/rules/*.md``, from the docstrings of the rules, ``docs/report.schema.json``,
from the types of the JSON report, and ``docs/config.schema.json``, from those of the settings,
``docs/json-fields.md``, from the schema of the report and the words of ``docs/json_fields.toml``,
``docs/envfix.1``, the manual page, from the commands, ``docs/errors.md`` with ``docs/errors/*.md``,
from the catalog's tables of error messages, and ``.pre-commit-hooks.yaml``, from what is known as a
declared file.
"""

from __future__ import annotations

import json
import runpy
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reconciler import catalog, config, manifests
from reconciler.output import error_page, rule_page
from reconciler.output import json as json_report
from reconciler.rules import all_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DOCS = Path(__file__).parent
HOOK = """\
# Written by docs/generate.py: `files` is what envfix knows as a declared file by its path.
- id: envfix-check
  name: envfix check
  description: Find where declared files make conda and pip clash over CUDA.
  entry: envfix check
  language: python
  require_serial: true
  files: &files |
    (?xi)^(
        {files}
    )$
- id: envfix-fix
  name: envfix fix
  description: Mend what is certainly meant otherwise, and say what is left.
  entry: envfix check --fix
  language: python
  require_serial: true
  files: *files
"""
FIELDS = """\
# The fields of the JSON report

Made of [the schema](report.schema.json), which is JSON Schema 2020-12. A field is always there unless it says otherwise.
How to get a report, and what to do with it: [JSON and other formats](json.md).
"""

RULES = """\
# Rules

One cause is one finding; what follows from it is folded under it. A code stays as it is across versions. `envfix rule CODE` prints a page.

| code | name | severity | |
|---|---|---|---|
"""


def generated() -> dict[Path, str]:
    """Return the text of each generated file."""
    rules = all_rules().values()
    index = "\n".join(
        f"| [{r.RULE.code}]({r.RULE.code}.md) | {r.RULE.name} | {r.RULE.severity} | {rule_page.summary(r)} |"
        for r in rules
    )
    known = dict.fromkeys(form.path for form in manifests.FORMATS)
    return {
        DOCS.parent / ".pre-commit-hooks.yaml": HOOK.format(files="\n      | ".join(known)),
        DOCS / "report.schema.json": json.dumps(json_report.schema(), indent=2) + "\n",
        DOCS / "config.schema.json": json.dumps(config.schema(), indent=2) + "\n",
        DOCS / "json-fields.md": "\n".join([FIELDS, *_fields()]),
        DOCS / "rules" / "README.md": f"{RULES}{index}\n",
        DOCS / "envfix.1": runpy.run_path(str(DOCS / "man.py"))["page"](),
        **errors(),
        **{DOCS / "rules" / f"{r.RULE.code}.md": rule_page.render(r) for r in rules},
    }


def errors() -> dict[Path, str]:
    """Return the text of each page of error messages."""
    tables = catalog.load().error_tables
    pages = {DOCS / f"{name}.md": error_page.render(name, tables[name]) for name in tables}
    return {DOCS / "errors.md": error_page.render_index(tables), **pages}


def _fields() -> Iterator[str]:
    """Yield the lines of the page on the JSON report: a section for each type, a row for each field."""
    words = tomllib.loads((DOCS / "json_fields.toml").read_text("utf-8"))
    for name, definition in json_report.schema()["$defs"].items():
        yield f"## {name}\n\n{definition['description'].replace('``', '`')}\n"
        if "enum" in definition:
            yield f"One of {_type(definition)}.\n"
            continue
        yield "| field | type | |\n|---|---|---|"
        for field, kind in definition["properties"].items():
            yield f"| `{field}` | {_type(kind)} | {words.get(name, {}).get(field, '')} |"
        yield ""


def _type(kind: Mapping[str, Any]) -> str:
    """Return a type of the schema in a few words, with a link where it has a section."""
    if "$ref" in kind:
        name = kind["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in kind:
        return " or ".join(_type(each) for each in kind["anyOf"])
    if "enum" in kind:
        return ", ".join(f"`{value}`" for value in kind["enum"])
    if kind["type"] == "array":
        return f"list of {_type(kind['items'])}"
    return str(kind["type"])


def stale() -> list[Path]:
    """Return the files that are not what would be written, and those that nothing writes."""
    texts = generated()
    wrong = [p for p, text in texts.items() if not p.is_file() or p.read_text("utf-8") != text]
    pages = [*(DOCS / "rules").glob("*.md"), *(DOCS / "errors").glob("*.md")]
    return wrong + [path for path in pages if path not in texts]


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit("".join(f"stale: {path}; run python docs/generate.py\n" for path in stale()) or 0)
    for path, text in generated().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
