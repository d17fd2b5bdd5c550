import sqlite3

import pytest

from playground.conversation import schema
from playground.conversation.schema import MIGRATIONS, Migration, MigrationFailed, migrate


def test_migrations_run_in_order_and_once() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    steps = [Migration("1 a", ("CREATE TABLE t (x)",)), Migration("2 b", ("INSERT INTO t VALUES (1)",))]
    assert migrate(db, steps[:1]) == ["1 a"]
    assert migrate(db, steps) == ["2 b"]
    assert migrate(db, steps) == []
    assert db.execute("SELECT x FROM t").fetchall() == [(1,)]
    with pytest.raises(schema.NewerDatabase):
        migrate(db, steps[:1])
    db.close()


def test_a_failing_migration_leaves_all_as_it_was() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    steps = [
        Migration("1 fine", ("CREATE TABLE t (x)",)),
        Migration("2 half", ("ALTER TABLE t ADD COLUMN y", "INSERT INTO nowhere VALUES (1)")),
    ]
    with pytest.raises(MigrationFailed, match="2 half"):
        migrate(db, steps)
    assert schema.version(db) == 1
    assert [row[1] for row in db.execute("PRAGMA table_info (t)")] == ["x"]
    db.close()


def test_migration_names_are_in_order() -> None:
    names = [step.name for step in MIGRATIONS]
    assert names == sorted(names)
    assert [int(name.split()[0]) for name in names] == list(range(1, len(names) + 1))
