"""The emulator's quick lookups and jobs say what its own slow ones say."""

import subprocess
import sys
from pathlib import Path

import pytest
from google.api_core import exceptions as api
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from local import parts
from local.state import Stack, open_stack
from tests.support.stack import started

pytestmark = pytest.mark.integration

BEGIN = """
import sys
from pathlib import Path
from local import bigquery_extensions
bigquery_extensions.link()
from local_bigquery.sql import dialect
dialect.FUNCTIONS[:] = [p for p in dialect.FUNCTIONS if p.stem != "geography"]
from local_bigquery.settings import settings
settings.data_dir, settings.default_project_id = Path(sys.argv[1]), "demo"
from local import bigquery_files
bigquery_files.install()
"""
COMPARE = """
from concurrent.futures import ThreadPoolExecutor
from local import bigquery_lookups as quick
from local import bigquery_memory as memory
from local_bigquery.catalog import tabledata
from local_bigquery.engine import database
from local_bigquery.jobs import query
from local_bigquery.models import JobConfigurationQuery
from local_bigquery.sql.translate import Context, parse

quick.install()
memory.install()
ASKED = [
    "SELECT * FROM a.t", "SELECT id FROM a.t WHERE id = 1", "SELECT id / 2, s.id FROM b.t", "SELECT * FROM b.renamed",
    "SELECT a.t.id, one FROM a.t, a.v", "INSERT INTO a.t (id) SELECT id FROM a.u", "DELETE FROM a.t WHERE id = later",
    "WITH t AS (SELECT 1 AS id) SELECT id FROM t", "DROP TABLE a.u", "CREATE TABLE a.n AS SELECT * FROM a.t",
    "SELECT id FROM a.t WHERE id = @wanted",
]
NAMES = ["t", "u", "v", "w", "renamed", "never"]


def run(sql):
    with database.cursor() as cur:
        query.execute(cur, "demo", f"job{abs(hash(sql))}", JobConfigurationQuery(query=sql))


def kinds(found):
    return sorted(row[:2] for row in found)


def said(translate, sql, variable):
    names = ("wanted", f"other_{variable}")
    context = Context(
        "demo", "a", variables={"later": f'temp.main."__variable_{variable}"'},
        parameters={name: f"CAST(${name} AS BIGINT)" for name in names}, values={name: len(name) for name in names},
    )
    [tree] = parse(sql)
    try:
        return translate(tree, context), context.used, context.referenced, context.temporary, context.position
    except Exception as error:
        return type(error), str(error)


def compare_translations(after, number):
    for sql in ASKED:
        fresh = said(memory._translate, sql, f"{number:012d}")
        for _ in range(2):
            assert said(memory._translated, sql, f"{number:012d}") == fresh, (after, sql)


def compare(after):
    for name in NAMES:
        for dataset in ("a", "b"):
            mine, theirs = quick._objects("demo", dataset, name), quick._slow_objects("demo", dataset, name)
            assert kinds(mine) == kinds(theirs), (after, dataset, name, mine, theirs)
            for sql, rest in ((quick._REQUIRED, []), (quick._HAS_COLUMN, ["id"])):
                params = ["demo", dataset, name, *rest]
                if kinds(mine) == [(name, "TABLE")]:
                    assert sorted(quick._fetch(sql, params)) == sorted(quick._slow_fetch(sql, params)), (after, params)
            if kinds(mine):
                mine, theirs = quick._columns("demo", dataset, name), quick._slow_columns("demo", dataset, name)
                assert [c.dump() for c in mine] == [c.dump() for c in theirs], (after, dataset, name)
    [(results,)] = database.fetch("SELECT COUNT(*) FROM duckdb_tables() WHERE schema_name = '_results'")
    assert results >= 0


for number, sql in enumerate([
    "CREATE SCHEMA a", "CREATE SCHEMA b", "CREATE TABLE a.t (id INT64 NOT NULL, s STRUCT<id INT64>)",
    "CREATE TABLE b.t (other STRING)", "CREATE VIEW a.v AS SELECT 1 AS one", "INSERT INTO a.t (id) VALUES (1), (2)",
    "CREATE OR REPLACE TABLE b.t AS SELECT 1 AS id", "CREATE OR REPLACE VIEW a.v AS SELECT 2 AS two",
    "ALTER TABLE b.t RENAME TO renamed", "ALTER TABLE a.t ADD COLUMN more STRING", "ALTER TABLE a.t DROP COLUMN id",
    "BEGIN TRANSACTION; CREATE TABLE a.u (id INT64); COMMIT TRANSACTION", "DROP VIEW a.v", "DROP TABLE a.t",
    "CREATE TABLE a.t (id INT64)", "CREATE TEMP TABLE w AS SELECT 1 AS id; SELECT * FROM w", "DROP SCHEMA b CASCADE",
]):
    run(sql)
    compare(sql)
    compare_translations(sql, number)
assert memory._translations

# A statement is translated once, whatever else its script is given.
[tree], before = parse("SELECT 1 + @wanted"), len(memory._translations)
for other in ("one", "two"):
    given = {"wanted": "$wanted", other: f"${other}"}
    context = Context("demo", "a", parameters=given, values=dict.fromkeys(given, 5))
    assert memory._translated(tree, context)[1] == {"wanted": 5}
assert len(memory._translations) == before + 1

# Streamed rows of calls that meet, each of which forgets the same old rows.
tabledata._recent.update({("t", f"old-{n}"): -1e9 for n in range(50_000)})
sys.setswitchinterval(1e-5)
with ThreadPoolExecutor(4) as pool:
    taken = list(pool.map(lambda n: len(tabledata._deduplicate("t", [(0, f"new-{n}", {})])), range(4)))
assert taken == [1] * 4
print("the same")
"""  # fmt: skip


def assert_the_same(script: str, folder: Path) -> None:
    """Run a script with the emulator's parts in a process of its own; it ends with "the same" if nothing differs."""
    (folder / "home").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + script, str(folder / "data")],
        capture_output=True, text=True, env={"HOME": str(folder / "home"), "PATH": "/usr/bin"}, check=False,
    )  # fmt: skip
    assert done.stdout.endswith("the same\n"), done.stderr


def test_quick_lookups_answer_as_the_slow_ones(tmp_path: Path) -> None:
    """After each kind of statement, both say the same of every table, view and column."""
    assert_the_same(COMPARE, tmp_path)


MERGES = """
from local import bigquery_merge as quick
from local_bigquery.engine import database
from local_bigquery.jobs import merge, query
from local_bigquery.models import JobConfigurationQuery

slow, taken = merge.run, []
REPLACES = [
    "MERGE a.t AS held USING (SELECT id, s FROM a.new WHERE id > 1) AS given ON FALSE "
    "WHEN NOT MATCHED BY TARGET THEN INSERT (`id`, `s`) VALUES (`id`, `s`) "
    "WHEN NOT MATCHED BY SOURCE AND (held.id IN (1, 2) OR held.s = 'c') THEN DELETE",
    "MERGE a.t AS held USING (SELECT id + 10 AS id, 'x' AS s FROM a.new) AS given ON FALSE "
    "WHEN NOT MATCHED BY SOURCE AND held.id < 3 THEN DELETE WHEN NOT MATCHED BY TARGET THEN INSERT ROW",
    "MERGE a.t USING a.new ON FALSE WHEN NOT MATCHED BY SOURCE THEN DELETE "
    "WHEN NOT MATCHED THEN INSERT (s, id) VALUES (s, id)",
]
OTHERS = [
    "MERGE a.t AS held USING (SELECT MAX(id) + 1 AS id, 'm' AS s FROM a.t) AS given ON FALSE "
    "WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN NOT MATCHED THEN INSERT ROW",
    "MERGE a.t AS held USING a.new AS given ON held.id = given.id "
    "WHEN MATCHED THEN UPDATE SET s = given.s WHEN NOT MATCHED THEN INSERT ROW",
    "MERGE a.t AS held USING a.new AS given ON FALSE WHEN NOT MATCHED AND id > 2 THEN INSERT ROW "
    "WHEN NOT MATCHED BY SOURCE AND held.id = 2 THEN UPDATE SET s = 'old'",
]


def run(sql):
    with database.cursor() as cur:
        return query.execute(cur, "demo", f"job{len(taken)}{abs(hash(sql))}", JobConfigurationQuery(query=sql))


def after(sql, how):
    merge.run = how
    taken.append(sql)
    run("CREATE OR REPLACE TABLE a.t AS SELECT * FROM UNNEST([STRUCT(1 AS id, 'a' AS s), (2, 'b'), (3, 'c')])")
    run("CREATE OR REPLACE TABLE a.new AS SELECT * FROM UNNEST([STRUCT(2 AS id, 'B' AS s), (5, 'e')])")
    run(sql)
    found = database.fetch("SELECT id, s FROM demo.a.t ORDER BY ALL")
    return found


def refused(*args):
    raise AssertionError("this one is quick")


run("CREATE SCHEMA a")
for sql in REPLACES:
    expected = after(sql, slow)
    quick._any_merge = refused
    assert after(sql, quick._run) == expected, sql
for sql in OTHERS:
    expected, passed = after(sql, slow), []
    quick._any_merge = lambda *args: (passed.append(1), slow(*args))[1]
    assert after(sql, quick._run) == expected and passed, sql
print("the same")
"""


def test_a_merge_that_matches_nothing_does_what_the_emulators_own_does(tmp_path: Path) -> None:
    """Rows out and rows in; every other MERGE is left to the emulator."""
    assert_the_same(MERGES, tmp_path)


def test_a_job_is_known_after_a_restart_until_it_is_deleted(tmp_path: Path) -> None:
    """Given a job that ended, when its emulator was stopped, then its id still says so and cannot be used again."""
    own = open_stack(tmp_path)
    with started(parts.bigquery(own), own):
        client = _client(own)
        client.query("SELECT 1 AS one", job_id="asked-once", job_retry=None).result()
    with started(parts.bigquery(own), own):
        client = _client(own)
        assert client.get_job("asked-once").state == "DONE"
        assert [job.job_id for job in client.list_jobs(state_filter="done")] == ["asked-once"]
        with pytest.raises(api.Conflict):
            client.query("SELECT 2 AS two", job_id="asked-once", retry=None, job_retry=None)
        client.delete_job_metadata("asked-once", location="US")
        with pytest.raises(api.NotFound):
            client.get_job("asked-once")


def _client(own: Stack) -> bigquery.Client:
    options = ClientOptions(api_endpoint=own.url("bigquery"))
    return bigquery.Client(own.project, AnonymousCredentials(), client_options=options, location="US")
