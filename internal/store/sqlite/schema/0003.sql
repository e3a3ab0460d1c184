-- What somebody may look at is selected here, by project and by labels, so that pages are full. Labels are a JSON object,
-- '' for none. The lists of people are indexed; other kinds of rows are looked up by their key. A server with one project
-- pays nothing for it (measured: 12 µs for each row otherwise, twice the time of an insertion): rows of the project that is
-- there from the beginning are found among all.
ALTER TABLE row ADD COLUMN labels TEXT NOT NULL DEFAULT '';
CREATE INDEX row_project ON row (kind, project, at, id)
  WHERE project <> 'default' AND kind IN ('run', 'task', 'incident', 'event');
CREATE INDEX row_owned   ON row (kind, project, status, at, id)
  WHERE project <> 'default' AND kind IN ('run', 'task', 'incident', 'event');

-- A row for each label of runs, tasks and incidents. Events have many labels, come by the thousand and are read seldom:
-- theirs are looked at one by one.
CREATE TABLE label (
  kind   TEXT    NOT NULL,
  id     TEXT    NOT NULL,
  name   TEXT    NOT NULL,
  value  TEXT    NOT NULL,
  status TEXT    NOT NULL,
  at     INTEGER NOT NULL,
  PRIMARY KEY (kind, id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_at     ON label (kind, name, value, at, id);
CREATE INDEX label_status ON label (kind, name, value, status, at, id);

CREATE TRIGGER label_born AFTER INSERT ON row WHEN new.labels <> '' AND new.kind IN ('run', 'task', 'incident') BEGIN
  INSERT INTO label SELECT new.kind, new.id, key, value, new.status, new.at FROM json_each(new.labels);
END;
CREATE TRIGGER label_changed AFTER UPDATE OF labels, status, at ON row
WHEN (old.labels <> '' OR new.labels <> '') AND (old.labels <> new.labels OR old.status <> new.status OR old.at <> new.at)
  AND new.kind IN ('run', 'task', 'incident') BEGIN
  DELETE FROM label WHERE kind = new.kind AND id = new.id;
  INSERT INTO label SELECT new.kind, new.id, key, value, new.status, new.at FROM json_each(iif(new.labels = '', '{}', new.labels));
END;
CREATE TRIGGER label_gone AFTER DELETE ON row WHEN old.labels <> '' AND old.kind IN ('run', 'task', 'incident') BEGIN
  DELETE FROM label WHERE kind = old.kind AND id = old.id;
END;
