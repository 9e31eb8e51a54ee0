"""Google's SQL analyzer (PyPI ``zetasql``: the GoogleSQL parser and analyzer as WebAssembly; no network).

It knows the language: syntax, reserved words, names, types. It is not BigQuery's planner nor its API (see ``rules``).
Imported only where it is asked for: ``installed`` tells whether it is there.
"""

import ctypes
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from typing import Any

# Language features that the analyzer has and BigQuery has not, of those that would change what SQL here may say.
NOT_IN_BIGQUERY = (
    "FEATURE_LATERAL_COLUMN_REFERENCES", "FEATURE_LATERAL_JOIN", "FEATURE_WITH_EXPRESSION", "FEATURE_TIMESTAMP_NANOS",
)  # fmt: skip
# Statements of BigQuery's that the analyzer takes only when they are asked for.
OF_BIGQUERY = ("FEATURE_CREATE_TABLE_CLONE", "FEATURE_CREATE_TABLE_COPY", "FEATURE_CREATE_TABLE_LIKE")
# https://cloud.google.com/bigquery/docs/reference/system-variables: name -> TypeKind (2: INT64, 8: STRING)
_SYSTEM_VARIABLES = {"row_count": 2, "error.message": 8, "script.job_id": 8, "current_job_id": 8, "project_id": 8}
_PLACE = re.compile(r"\s*\[at (\d+):(\d+)\]")


class SqlFaultError(Exception):
    """What the analyzer says of a statement; ``line`` and ``column`` (from 1) are within its text."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


def installed() -> bool:
    """Whether Google's analyzer is on this machine."""
    return find_spec("zetasql") is not None and find_spec("wasmtime") is not None


class Engine:
    """One analyzer; starting it takes half a minute the first time on a machine (compiled, then cached), then 0.4 s."""

    def __init__(self) -> None:
        from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service

        self._service = service
        self._client = _client()
        self._language = _language(self)

    def call(self, method: str, request: Any, answer: Any) -> Any:
        """Call one method of the analyzer.

        Raises:
            SqlFaultError: in GoogleSQL's own words.
        """
        from zetasql.core.exceptions import ServerError

        try:
            return self._client.call_grpc_func(f"ZetaSqlLocalService_{method}", request, answer)
        except ServerError as error:
            raise _fault(str(error.message)) from None

    @property
    def language(self) -> Any:
        """The language options: BigQuery's dialect."""
        return self._language

    def register(self, catalogue: Any) -> int:
        """Keep a ``SimpleCatalogProto`` in the analyzer and return its number."""
        request = self._service.RegisterCatalogRequest(simple_catalog=catalogue)
        return int(self.call("RegisterCatalog", request, self._service.RegisterResponse).registered_id)

    def forget(self, number: int) -> None:
        """Drop a catalogue that ``register`` kept."""
        from google.protobuf.empty_pb2 import Empty

        self.call("UnregisterCatalog", self._service.UnregisterRequest(registered_id=number), Empty)

    def analyse(self, sql: str, catalogue: int, parameters: Mapping[str, Any]) -> Any:
        """Return the resolved statement (``AnyResolvedStatementProto``); ``parameters`` is name -> ``TypeProto``.

        Raises:
            SqlFaultError: the statement is not valid.
        """
        from zetasql.wasi._pb2.zetasql.public import options_pb2

        request = self._service.AnalyzeRequest(sql_statement=sql, registered_catalog_id=catalogue)
        options = request.options
        options.language_options.CopyFrom(self._language)
        options.default_timezone = "UTC"
        options.error_message_mode = options_pb2.ERROR_MESSAGE_ONE_LINE
        for path, kind in _SYSTEM_VARIABLES.items():
            options.system_variables.add(name_path=path.split(".")).type.type_kind = kind
        for name, kind in parameters.items():
            options.query_parameters.add(name=name).type.CopyFrom(kind)
        return self.call("Analyze", request, self._service.AnalyzeResponse).resolved_statement


@cache
def engine() -> Engine:
    """Return the one analyzer of this process."""
    return Engine()


def _fault(words: str) -> SqlFaultError:
    place = _PLACE.search(words)
    message = _PLACE.sub("", words).partition("\nerror while")[0].strip()
    return SqlFaultError(message, int(place[1]), int(place[2])) if place else SqlFaultError(message)


def _language(engine_: Engine) -> Any:
    from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service
    from zetasql.wasi._pb2.zetasql.proto import options_pb2
    from zetasql.wasi._pb2.zetasql.public import options_pb2 as public

    request = service.LanguageOptionsRequest(maximum_features=True)
    found = engine_.call("GetLanguageOptions", request, options_pb2.LanguageOptionsProto)
    found.enabled_language_features.extend(public.LanguageFeature.Value(name) for name in OF_BIGQUERY)
    out = {public.LanguageFeature.Value(name) for name in NOT_IN_BIGQUERY}
    kept = [f for f in found.enabled_language_features if f not in out]
    found.ClearField("enabled_language_features")
    found.enabled_language_features.extend(kept)
    found.product_mode = public.PRODUCT_EXTERNAL
    found.ClearField("supported_statement_kinds")  # none named: all
    found.reserved_keywords.append("QUALIFY")
    return found


def _client() -> Any:
    """The package's client, with wasmtime's cache of compiled code and memory copied in one piece, not byte by byte."""
    from wasmtime import Config, Linker, Module, Store, WasiConfig, WasmtimeError
    from wasmtime import Engine as Wasm
    from zetasql.core.wasm_client import WasmClient, get_tzinfo_dir
    from zetasql.wasi import get_wasm_path

    class Client(WasmClient):  # type: ignore[misc]
        def __init__(self) -> None:
            config, wasi = Config(), WasiConfig()
            with suppress(WasmtimeError):  # a machine without a home has no cache
                config.cache = True
            with suppress(AttributeError):
                config.shared_memory = True
            wasi.preopen_dir(get_tzinfo_dir(), "/usr/share/zoneinfo")
            self.store = Store(Wasm(config))
            self.store.set_wasi(wasi)
            linker = Linker(self.store.engine)
            linker.define_wasi()
            self.module = Module.from_file(self.store.engine, get_wasm_path())
            self.instance = linker.instantiate(self.store, self.module)
            self.exports = self.instance.exports(self.store)
            self.exports["_initialize"](self.store)
            self.memory = self.exports["memory"]

        def _at(self, pointer: int) -> int:
            return ctypes.addressof(self.memory.data_ptr().contents) + pointer

        def write_bytes(self, ptr: int, data: bytes) -> None:
            ctypes.memmove(self._at(ptr), data, len(data))

        def read_bytes(self, ptr: int, size: int) -> bytes:
            return ctypes.string_at(self._at(ptr), size)

    return Client()
