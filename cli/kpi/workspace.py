"""The definitions an analyst works on: those of the project, and the files that are not among them yet."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cli import target
from cli.nearest import hint
from cli.output import CommandError
from functions.kpi.catalog import Catalog, catalog_of, contracts_of, read_texts
from functions.kpi.columns import Columns, all_columns, curated_columns
from functions.kpi.definition import Definition
from functions.kpi.graph import reads, tables_of
from functions.kpi.refresh import views_by_name, without_horizons
from stockflow.contracts import Contract
from stockflow.errors import PermanentError
from stockflow.services import Services
from stockflow.settings import bundle_root


@dataclass(frozen=True)
class Workspace:
    """Definitions and what they can read. ``texts``: file name -> text; ``wanted``: the names that were asked for.

    ``places``: file name -> its path, of those that are files of this machine.
    """

    texts: Mapping[str, str]
    contracts: Mapping[str, Contract]
    wanted: tuple[str, ...] = ()
    views: Mapping[str, str] = field(default_factory=lambda: views_by_name("inventory_curated"))
    places: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def catalog(self) -> Catalog:
        """The definitions that can be read, and what is wrong with the others."""
        return catalog_of(self.texts, self.contracts)

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """The definitions that can be read."""
        return self.catalog.definitions

    @cached_property
    def reads(self) -> dict[str, set[str]]:
        """Definition -> the tables that it reads, views resolved to theirs."""
        return reads(self.definitions, self.views)

    @cached_property
    def sources(self) -> dict[str, Columns]:
        """The curated tables and views, with the types of their columns."""
        return all_columns({}, self.views, curated_columns(self.contracts))

    @cached_property
    def dated_views(self) -> dict[str, set[str]]:
        """View -> the dated tables that it reads, of those views that give rows of facts."""
        dated = {f"inventory_curated.{feed}" for feed, c in self.contracts.items() if c.business_date}
        behind = {name: {*tables_of(name, sql)} & dated for name, sql in without_horizons(self.views).items()}
        return {name: read for name, read in behind.items() if read}

    def behind(self, names: Iterable[str]) -> set[str]:
        """Return these definitions and every one that they are computed from."""
        found: set[str] = set()
        left = [name for name in names if name in self.definitions]
        while left:
            name = left.pop()
            found.add(name)
            tables = {f"inventory_kpi.{other}": other for other in self.definitions}
            left += [tables[t] for t in self.reads[name] if t in tables and tables[t] not in found]
        return found

    def one(self) -> Definition:
        """Return the one definition that was asked for.

        Raises:
            PermanentError: what is wrong with its file.
        """
        (name,) = self.wanted
        if name in self.catalog.faults:
            raise self.catalog.faults[name]
        return self.definitions[name]


def project_folder() -> str:
    """Return the folder of the project's own definitions."""
    return str(bundle_root() / "functions" / "kpi" / "definitions")


def open_workspace(wanted: Sequence[str], uri: str, services: Services | None = None) -> Workspace:
    """Return the definitions below ``uri`` with the files named in ``wanted`` in the place of those of their name.

    Raises:
        CommandError: a file that is not there, or a name that no definition has.
    """
    target.remember()
    contracts = contracts_of(services)
    texts = read_texts(uri, services)
    places = {} if uri.startswith("gs://") else {name: str(Path(uri, name)) for name in texts}
    names = []
    for given in wanted:
        if is_file(given):
            path = Path(given)
            texts[path.name] = _text(path)
            places[path.name] = given
            names.append(path.stem)
        elif f"{given}.sql" in texts:
            names.append(given)
        else:
            near = hint(given, [name.removesuffix(".sql") for name in texts])
            raise CommandError(f"no KPI {given!r} and no such file{near}", "`stockflow kpi list` says what each is")
    return Workspace(texts, contracts, tuple(names), places=places)


def correction(faults: Mapping[str, int], places: Mapping[str, str]) -> str:
    """Say how to correct definitions (file name -> line of its fault): what to edit, and what looks at it again."""
    here = {places[name]: line for name, line in faults.items() if name in places}
    if here:
        edit = ", ".join(f"{path}:{line}" for path, line in here.items())
        return f"edit {edit}, then `stockflow kpi check {shlex.join(here)}`"
    name = next(iter(faults)).removesuffix(".sql")
    return f"{name} is published so: `stockflow kpi rollback {name}` publishes the version before"


@contextmanager
def corrected(uri: str) -> Iterator[None]:
    """Tell of a definition below ``uri`` that cannot be read how to correct it."""
    try:
        yield
    except PermanentError as error:
        name = error.facts.get("file")
        if error.code != "bad_definition" or name is None:
            raise
        places = {} if uri.startswith("gs://") else {name: str(Path(uri, name))}
        raise CommandError(f"{error.message}\n{correction({name: error.facts['line']}, places)}") from error


def is_file(given: str) -> bool:
    """Whether an argument names a file, not a KPI."""
    return given.endswith(".sql") or "/" in given


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        folder = "" if path.parent == Path() else f" --folder {shlex.quote(str(path.parent))}"
        raise CommandError(f"{path}: no such file; `stockflow kpi new {path.stem}{folder}` writes one") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise CommandError(
            f"{path}:{line}: expected UTF-8, found byte 0x{error.object[error.start]:02x}\n"
            f"save it as UTF-8, then `stockflow kpi check {shlex.quote(str(path))}`"
        ) from error
