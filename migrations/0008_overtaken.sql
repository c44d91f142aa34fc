-- A record changes, changes back, and the write of the first change is never answered: what was last
-- sent of it looks like what it shall be, and HubSpot may hold the other. So once a row that waited to
-- be sent is overtaken by a newer revision, nobody knows what HubSpot has of it, and all of it goes
-- again. Line items without an id keep their hash: it tells that they were tried.

create trigger ledger_overtaken after update of revision on ledger
when old.fate in ('waiting', 'excluded') and old.payload is not null and old.revision <> new.revision
begin
  update targets set hash = '', status = null
  where connection = new.connection and feed = new.feed and key = new.key and hubspot_id is not null;
end;
