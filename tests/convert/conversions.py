"""Conversions of texts, as the pipeline makes them of files."""

from reconciler import catalog, manifests
from reconciler.builds import declared
from reconciler.convert import Wish, convert
from reconciler.model.conversion import Converted, Dropped, Kept

CATALOG = catalog.load()
FORMS = {"txt": "requirements_txt", "yml": "environment_yml", "toml": "pyproject_toml"}


def converted(files, **wish):
    """Convert the first of several files, given by path and text; a text alone is requirements."""
    return convert_with(convert, files, **wish)


def convert_with(direction, files, **wish):
    """Convert as above, to conda or the other way."""
    given = {"requirements.txt": files} if isinstance(files, str) else files
    read = tuple(
        manifests.read(FORMS[path.rpartition(".")[2]], path, text) for path, text in given.items()
    )
    wished = Wish(**{"sources": (read[0].path,), "name": "env", **wish})
    return direction(
        read, wished, lambda one: tuple(declared.builds(one, CATALOG, one.platform)), CATALOG
    )


def specs(files, **wish):
    """Return the MatchSpecs that files come to, on the chief platform."""
    conversion = converted(files, **wish)
    return conversion.specs(conversion.platforms[0])


def outcome(files, **wish):
    """Return what becomes of the last line of the files."""
    return converted(files, **wish).lines[-1]


__all__ = [
    "CATALOG",
    "Converted",
    "Dropped",
    "Kept",
    "convert_with",
    "converted",
    "outcome",
    "specs",
]
