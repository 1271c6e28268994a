"""Write what is generated of the docs: ``python docs/generate.py``; ``--check`` only compares.

Generated are ``docs/rules/*.md``, from the docstrings of the rules, ``docs/report.schema.json``,
from the types of the JSON report, and ``docs/config.schema.json``, from those of the settings,
and ``.pre-commit-hooks.yaml``, from what is known as a declared file, and ``docs/errors.md`` with
``docs/errors/*.md``, from the catalog's tables of error messages.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from reconciler import catalog, config, manifests
from reconciler.output import error_page, rule_page
from reconciler.output import json as json_report
from reconciler.rules import all_rules

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


def generated() -> dict[Path, str]:
    """Return the text of each generated file."""
    rules = all_rules().values()
    index = "\n".join(
        f"| [{r.RULE.code}]({r.RULE.code}.md) | {r.RULE.name} | {r.RULE.severity} |" for r in rules
    )
    known = dict.fromkeys(form.path for form in manifests.FORMATS)
    return {
        DOCS.parent / ".pre-commit-hooks.yaml": HOOK.format(files="\n      | ".join(known)),
        DOCS / "report.schema.json": json.dumps(json_report.schema(), indent=2) + "\n",
        DOCS / "config.schema.json": json.dumps(config.schema(), indent=2) + "\n",
        DOCS
        / "rules"
        / "README.md": f"# Rules\n\n| code | name | severity |\n|---|---|---|\n{index}\n",
        **errors(),
        **{DOCS / "rules" / f"{r.RULE.code}.md": rule_page.render(r) for r in rules},
    }


def errors() -> dict[Path, str]:
    """Return the text of each page of error messages."""
    tables = catalog.load().error_tables
    pages = {DOCS / f"{name}.md": error_page.render(name, tables[name]) for name in tables}
    return {DOCS / "errors.md": error_page.render_index(tables), **pages}


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
