-- Lists of one name among many: the status is at the end, so that it is looked at before the row is.
CREATE INDEX row_name ON row (kind, name, at, id, status);
