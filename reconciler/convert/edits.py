"""A conversion as edits of the environment.yml that it is made of, so that its comments stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.model.conversion import Converted, Dropped, Kept
from reconciler.model.fix import Add, Edit, Remove, Replace
from reconciler.model.manifest import Kind, Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.model.conversion import Conversion, Line
    from reconciler.model.location import Location
    from reconciler.model.manifest import Declared, Manifest


def edits(conversion: Conversion, manifest: Manifest) -> tuple[Edit, ...]:
    """Return what makes the file say what the conversion says for its chief platform."""
    platform = conversion.platforms[0]
    fates = {line.at: line for line in conversion.on(platform)}
    changed = [*_channels(conversion, manifest), *_indexes(conversion, manifest)]
    for line in manifest.declared:
        if line.kind is Kind.REQUIREMENT and (fate := fates.get(line.location)):
            changed += _of_line(line, fate)
        if line.kind is Kind.INCLUDE and any(at.path == line.name for at in fates):
            changed.append(Remove(line=line))
    changed += _adds(conversion, manifest, fates)
    return tuple(dict.fromkeys(changed))


def _of_line(line: Declared, fate: Line) -> Iterator[Edit]:
    """Yield what becomes of a line in its own place."""
    match fate:
        case Dropped():
            yield Remove(line=line)
        case Converted(specs=(first, *_)) if line.section is Section.CONDA:
            if first != line.text:
                yield Replace(line=line, text=first)
        case Converted(rest=""):
            yield Remove(line=line)
        case Kept() if line.section is Section.CONDA:
            yield Remove(line=line)
        case _:
            return


def _adds(
    conversion: Conversion, manifest: Manifest, fates: dict[Location, Line]
) -> Iterator[Edit]:
    """Yield what the file does not say yet, in the order of the conversion."""
    said = set()
    for line in manifest.declared:
        fate = fates.get(line.location)
        if isinstance(fate, Converted) and line.section is Section.CONDA:
            said.add(fate.specs[0])
        is_kept = isinstance(fate, Kept) or (isinstance(fate, Converted) and fate.rest)
        if is_kept and line.section is not Section.CONDA:
            said.add(line.text)
    last = _last(manifest, fates)
    for spec in conversion.specs(conversion.platforms[0]):
        # pip is written with its section, where there is one.
        if spec not in said and spec not in {"pip", "python"}:
            yield Add(path=manifest.path, section=Section.CONDA, text=spec, after=last)
    if _lacks_pip(conversion, manifest):
        yield Add(path=manifest.path, section=Section.CONDA, text="pip", after=last)
    for text in conversion.pip_lines(conversion.platforms[0]):
        if text not in said:
            yield Add(path=manifest.path, section=Section.PIP, text=text)


def _lacks_pip(conversion: Conversion, manifest: Manifest) -> bool:
    """Tell whether the file has a pip section that stays, and asks conda for no pip."""
    own = [line for line in manifest.declared if line.path == manifest.path]
    has_section = any(line.section is Section.PIP for line in own)
    is_asked = any(line.section is Section.CONDA and line.name == "pip" for line in own)
    return has_section and not is_asked and any(conversion.pip_lines(conversion.platforms[0]))


def _last(manifest: Manifest, fates: dict[Location, Line]) -> Declared | None:
    """Return the last line of conda's that stays, but for pip itself, which its section follows."""
    stays = (
        line
        for line in reversed(manifest.declared)
        if line.section is Section.CONDA and line.name != "pip"
        if isinstance(fates.get(line.location), Converted)
    )
    return next(stays, None)


def _channels(conversion: Conversion, manifest: Manifest) -> Iterator[Edit]:
    declared = [line for line in manifest.declared if line.kind is Kind.CHANNEL]
    kept = [line for line in declared if line.name in conversion.channels]
    if [line.name for line in kept] != [*conversion.channels]:
        lacking = [name for name in conversion.channels if name not in {k.name for k in kept}]
        is_in_order = [line.name for line in kept] == [
            name for name in conversion.channels if name not in lacking
        ]
        if not is_in_order:
            kept, lacking = [], [*conversion.channels]
        # All of them come in front, in their order.
        for name in lacking:
            yield Add(path=manifest.path, section=Section.CONDA, kind=Kind.CHANNEL, text=name)
    yield from (Remove(line=line) for line in declared if line not in kept)


def _indexes(conversion: Conversion, manifest: Manifest) -> Iterator[Edit]:
    gone = {setting.at for setting in conversion.settings if not setting.is_carried}
    for line in manifest.declared:
        if line.kind is Kind.INDEX and line.location in gone:
            yield Remove(line=line)
