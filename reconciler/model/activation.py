"""What a script of activation does to variables, as its text says; it is never run."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Literal(Struct, frozen=True, kw_only=True, tag="text"):
    """Text that stands for itself."""

    text: str


class Glob(Struct, frozen=True, kw_only=True, tag="glob"):
    """``*`` or ``?`` of a pattern."""

    text: str


class Reference(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="variable"):
    """A variable, with what ``${X:-other}`` or ``${X:+other}`` puts in its place."""

    variable: str
    #: ``-``, ``:-``, ``=``, ``:=``, ``+`` or ``:+``; empty for the value itself.
    how: str = ""
    otherwise: tuple[Part, ...] = ()
    is_quoted: bool = False

    def names(self, variable: str) -> bool:
        """Tell whether the value of a variable is in it."""
        inner = (part for part in self.otherwise if isinstance(part, Reference))
        return self.variable == variable or any(part.names(variable) for part in inner)


class ModulePath(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="module"):
    """A path that a script asks the environment's Python for."""

    #: What is imported: ``nvidia.cudnn``; empty where site-packages is asked for.
    module: str = ""
    #: ``__file__``, ``__path__`` or ``site-packages``.
    asked: str
    #: How many times ``dirname`` is taken of it.
    ups: int = 0
    #: As it is written.
    text: str


class Computed(Struct, frozen=True, kw_only=True, tag="computed"):
    """What only a run can tell, as it is written."""

    text: str


#: A piece of a value.
Part = Literal | Glob | Reference | ModulePath | Computed


class Asks(StrEnum):
    """What a condition asks."""

    ALWAYS = "always"
    #: Its text is empty, or not.
    EMPTY = "empty"
    FILLED = "filled"
    EQUAL = "equal"
    #: As a pattern of ``case``.
    MATCHES = "matches"
    #: A variable is there, though it may be empty.
    IS_SET = "is-set"
    #: Only a run can tell: a file, a folder, a program's exit status.
    UNKNOWN = "unknown"
    ALL = "all"
    ANY = "any"
    NOT = "not"


class Condition(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A question that a script asks before it goes on."""

    asks: Asks
    #: Each that asks for itself has its own number in its script: it is asked once.
    number: int = 0
    text: str = ""
    left: tuple[Part, ...] = ()
    right: tuple[Part, ...] = ()
    of: tuple[Condition, ...] = ()
    #: Whether ``[`` sees several words, or none, where the value has spaces or is empty.
    is_split: bool = False


class Guard(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A condition on which a line is reached: met, or not met."""

    condition: Condition
    is_met: bool = True


class Action(StrEnum):
    """What a line does to a variable."""

    SET = "set"
    #: Set to something before its former value.
    PREPEND = "prepend"
    #: Set to something behind its former value.
    APPEND = "append"
    UNSET = "unset"
    #: Handed on to programs, the value left as it is.
    EXPORT = "export"
    #: What runs may set or unset any variable.
    ANYTHING = "anything"
    #: The script ends here.
    END = "end"


class Assignment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that a script does, in its order."""

    action: Action
    #: Empty for an end, and for what may set any.
    variable: str = ""
    parts: tuple[Part, ...] = ()
    #: Counted from 1.
    line: int
    #: The line as it is written, without its indent.
    text: str = ""
    is_exported: bool = False
    #: All must hold, asked in this order.
    guards: tuple[Guard, ...] = ()

    @property
    def is_computed(self) -> bool:
        """Whether only a run can tell the value."""
        return any(isinstance(part, Computed) for part in self.parts)


class Doubt(Struct, frozen=True, kw_only=True):
    """Why the value of a variable cannot be told."""

    variable: str
    reason: str
    #: The script, relative to the prefix; empty where it is none of them.
    path: str = ""
    line: int = 0


class Activation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The variables that programs are given, as far as they can be told without a run."""

    variables: dict[str, str]
    #: The variables that may have another value than the one given, or a value at all.
    unknown: tuple[Doubt, ...] = ()

    def doubt_of(self, variable: str) -> Doubt | None:
        """Return why a variable cannot be told; one of no name speaks for all others."""
        named = (doubt for doubt in self.unknown if doubt.variable == variable)
        return next(named, None) or next((d for d in self.unknown if not d.variable), None)
