"""Secrets never enter a Snapshot: they are masked by asterisks, one for each character.

The length is kept, so that the line and column of everything else still hold.
"""

from __future__ import annotations

import re
from functools import lru_cache

# The long ones are compiled when a text asks for it: few hold a secret.
# tokenizers and TOKENIZERS_PARALLELISM are no secrets. Every repetition is bounded: what is read
# may be made to slow its reader down.
_WORD = r"(?:token(?!iz)|secret|passw(?:or)?d|api_?key|access_?key|credential)"
_KEYS = re.compile(_WORD, re.IGNORECASE)
_IN_URLS = re.compile(
    rf"""
      (?<=://)[^/\s]+(?=@)                                  # https://user:password@host/
    | (?<=/t/)[^/\s"']{{4,}}                                # conda's token: https://host/t/TOKEN/
    | (?<=[?&])[\w-]{{0,64}}(?:{_WORD}|key|sig)[\w-]{{0,64}}=[^&\s"']+
    """,
    re.VERBOSE | re.IGNORECASE,
)
_OF_KEYS = rf"""(?imx)
    (?P<key>
      (?:^(?P<indent>[ \t]*)(?:-[ \t]+)?|(?P<flow>[{{,][ \t]*)|(?<![\w.-]))
      (?:
        (?P<quoted>["'])?[\w.-]{{0,128}}{_WORD}[\w.-]{{0,128}}   # variables: of environment.yml
        (?(quoted)["'][ \t]{{0,8}}:[ \t]*|[ \t]{{0,8}}:[ \t]+)
      | (?-i:(?:export[ ])?[A-Z0-9_]{{0,128}}(?i:{_WORD})[A-Z0-9_]{{0,128}})=(?!=)
      )
    )
    (?P<value>
      \$\{{\{{[^{{}}\n]{{0,256}}\}}\}}(?=[ \t\r]*(?:$|[,}}\]#]))
    | "(?:[^"\\\n]|\\.|\n[ \t])*"?
    | '(?:[^'\n]|''|\n[ \t])*'?
    | (?(flow)[^\s,}}\]][^\n,}}\]]+|(?:[|>][-+\d]*[ \t\r]*(?=\n)|[^\s,}}\]][^\n]+))
      (?(indent)(?:\n(?:[ \t]*(?=\n)|(?P=indent)[ \t]+[^\n]*))*|)
    )
"""
# KEY = "value" of TOML, PowerShell and xonsh; ENV KEY value of a Dockerfile, and csh's and fish's.
# A package may be called tiktoken: a small name counts where no package has such a one.
_OF_LINES = rf"""(?xm)
    (?P<key>
      ^[ \t]*
      (?:
        (?:\$(?:env:)?)?(?:[A-Z0-9_]{{0,128}}(?i:{_WORD})[A-Z0-9_]{{0,128}}|(?:[a-z0-9_]{{0,128}}_)?{_WORD})
        [ \t]{{0,64}}=(?!=)[ \t]{{0,64}}
      | (?i:ENV|setenv|set(?:[ \t]{{1,8}}-[\w-]{{1,16}}){{0,4}})[ \t]{{1,64}}
        [A-Z0-9_]{{0,128}}(?i:{_WORD})[A-Z0-9_]{{0,128}}[ \t]{{1,64}}(?!=)
      )
    )
    (?P<value> "{{3}}[^"]*(?:"{{3}})? | "(?:[^"\\\n]|\\.)*"? | '[^'\n]*'? | [^\s"'][^\n]* )
"""
# RFC 6750, RFC 7617: what a command sends to show who it is.
_OF_HEADERS = r"""(?xi)
    (?P<key> authorization["']?[ \t]{0,8}[:=][ \t]{0,8}["']?(?:(?:bearer|basic|token)[ \t]{1,8})?
      | \bbearer[ \t]{1,8}(?=[\w.~+/-]{8}) )
    (?P<value> [^\s"',;]+ )
"""
# ${TOKEN} is the name of a secret, not the secret: pip and conda put the value in its place, and
# GitHub does that of ${{ secrets.TOKEN }}.
_KEPT_IN_URLS = r"(\$\{\{[^{}\n]*\}\}|\$\{[A-Z0-9_]+\}|\$[A-Z_][A-Z0-9_]*|[:=])"
_KEPT_OF_KEYS = r"""(?x)(^["']|["'][\s,}\]]*$|^[|>][-+\d]*[ \t\r]*(?=\n)|\n[ \t]*|[\s,}\]]+$
    |\$\{\{[^{}\n]*\}\}|\$\{[A-Z0-9_]+\}|\$[A-Z_][A-Z0-9_]*)"""


# A prefix has hundreds of records, and a handful of channels.
@lru_cache(maxsize=64)
def masked(text: str) -> str:
    """Return ``text`` with its credentials, tokens and passwords masked."""
    if "://" in text:
        text = _IN_URLS.sub(lambda match: _mask(match[0], _KEPT_IN_URLS), text)
    if _KEYS.search(text):
        text = re.sub(_OF_KEYS, _masked_value, text)
        text = re.sub(_OF_LINES, _masked_value, text)
    if "uthorization" in text or "earer " in text:
        text = re.sub(_OF_HEADERS, _masked_value, text)
    return text


def masked_variable(name: str, value: str) -> str:
    """Return the value of an environment variable, masked as a whole where its name says so."""
    if _KEYS.search(name) or name.endswith("_USERNAME"):
        return "*" * len(value)
    return masked(value)


def _masked_value(match: re.Match[str]) -> str:
    return match["key"] + _mask(match["value"], _KEPT_OF_KEYS)


def _mask(secret: str, kept: str) -> str:
    parts = re.split(kept, secret)
    return "".join(part if n % 2 else "*" * len(part) for n, part in enumerate(parts))
