-- Events of one source among those of all: a busy one fills every page otherwise. The source stands in the body alone, and only
-- the bodies of events are looked into.
CREATE INDEX row_source ON row (kind, CASE WHEN json_valid(CAST(body AS TEXT)) THEN json_extract(CAST(body AS TEXT), '$.source') END, at, id, status)
  WHERE kind = 'event';
