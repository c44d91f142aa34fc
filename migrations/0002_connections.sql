-- What the checks find out of a site's OData server, and the session of e.net.

alter table connections add column dialect text;      -- JSON: what the OData server can do; null until found out
alter table connections add column company text not null default '';  -- SYSPRO's company, in capitals
alter table connections add column operator text;     -- e.net's server and operator, who can be logged on once only

update connections set company = upper(coalesce(json_extract(public, '$.syspro.company'), ''));

-- Two connections of one company to one portal would write the same keys.
create unique index connections_company on connections (portal, company) where portal <> '';
create unique index connections_operator on connections (operator) where operator is not null;

-- A connection's session of e.net, kept from one run to the next.
create table sessions (
  connection     text primary key references connections (id) on delete cascade,
  session        text,                          -- sealed; null: not logged on
  used_at        integer,                       -- when the server last answered a call of it
  evictions      text not null default '[]',    -- JSON: when it was found ended before its time
  refused        text                           -- JSON {at, reason}: the last log-on, where it was refused
) strict, without rowid;
