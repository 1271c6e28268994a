"""The pages of known errors, in Markdown: a heading is the message as users paste it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reconciler.model.error_class import ErrorClass

#: What the messages of a table are about: its page's heading, and when they are said.
FAMILIES: Mapping[str, tuple[str, str]] = {
    "errors/libraries": ("Libraries that are not found", "when something is imported"),
    "errors/symbols": ("Symbols that are not defined", "when a library of another release is met"),
    "errors/versions": ("Versions that do not agree", "when two packages are held together"),
    "errors/cpu": ("Builds without CUDA", "when a build for the CPU is in use"),
    "errors/driver": ("Drivers, containers and WSL", "when CUDA is started"),
    "errors/gpu": ("GPU architectures and kernels", "when a GPU is given work"),
    "errors/conda": ("conda, mamba and pixi", "when conda's packages are solved for or unpacked"),
    "errors/installing": ("pip, uv and Poetry", "when wheels are looked for or installed"),
    "errors/building": ("Compiling CUDA extensions", "when pip compiles a package"),
    "errors/extensions": ("Kernels and compiled parts", "when a model is loaded or compiled"),
    "errors/windows": ("DLLs of Windows", "when a DLL is loaded"),
}
_CERTAIN = {
    "specific": "",
    "general": " It is said in several situations: what stands around it tells which.",
    "symptom": " It follows from another message, which tells the cause: look above it.",
}


def render_index(tables: Mapping[str, Sequence[ErrorClass]]) -> str:
    """Return the page that leads to all messages."""
    number = sum(map(len, tables.values()))
    start = (
        "# Errors of conda, pip and CUDA, and what they mean\n\n"
        f"{number} kinds of messages that `envfix explain` knows: paste the error, pipe a log "
        "into it, or give it a file. It looks at the environment and tells which cause holds "
        "there, which file is the culprit, and what to do.\n\n"
        "```console\n"
        "$ envfix explain 'ImportError: libcudart.so.12: cannot open shared object file'\n"
        "$ python train.py 2>&1 | envfix explain -p ~/miniforge3/envs/train\n"
        "```\n"
    )
    parts = [start]
    for table, (heading, when) in FAMILIES.items():
        page = f"{table}.md"
        rows = "\n".join(
            f"| [{_cell(error.message)}]({page}#{error.id}) | {_cell(error.title, code=False)} |"
            for error in tables[table]
        )
        parts.append(
            f"## [{heading}]({page})\n\nSaid {when}.\n\n| message | what happened |\n|---|---|\n{rows}\n"
        )
    return "\n".join(parts)


def render(table: str, errors: Iterable[ErrorClass]) -> str:
    """Return the page of one table's messages, which lies in a folder beside that of the rules."""
    heading, when = FAMILIES[table]
    start = (
        f"# {heading}\n\nWhat is said {when}, and what it means. "
        "[All messages](../errors.md) are in one list.\n"
    )
    return "\n".join([start, *map(_entry, errors)])


def _entry(error: ErrorClass) -> str:
    rules = ", ".join(f"[{code}](../rules/{code}.md)" for code in error.rules)
    proof = (
        f"`envfix explain` with the message, in the environment. It is proven by {rules}, which "
        "`envfix scan` finds without the message as well."
        if rules
        else "`envfix explain` names it by the message alone: no rule looks for it, as the "
        "environment is not at fault."
    )
    threads = "\n".join(f"- [{_thread(source)}]({source})" for source in error.sources)
    return (
        f'<a id="{error.id}"></a>\n\n## {_code(error.message)}\n\n'
        f"**What happened.** {error.title} (`{error.id}`).{_CERTAIN[error.specificity]}\n\n"
        f"**Cause.** {_prose(error.cause)}\n\n**How to prove it.** {proof}\n\n"
        f"**Remedy.** {_prose(error.remedy)}\n\n**Seen in**\n\n{threads}\n"
    )


def _thread(source: str) -> str:
    owner, name, _, number = source.removeprefix("https://github.com/").split("/")
    return f"{owner}/{name}#{number}"


def _code(text: str) -> str:
    """Return text as code, which a message with a back quote in it has to be with two."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _cell(text: str, *, code: bool = True) -> str:
    escaped = text.replace("|", "\\|")
    return _code(escaped) if code else escaped


def _prose(text: str) -> str:
    # What is in angle brackets would be taken for HTML.
    return text.replace("<", "&lt;")
