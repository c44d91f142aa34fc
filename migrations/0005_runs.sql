-- Runs that write nothing to HubSpot and may take several ticks: a preview, a reconciliation.

create table runs_anew (
  connection     text not null references connections (id) on delete cascade,
  id             text not null,
  kind           text not null check (kind in ('cron', 'sync', 'replay', 'preview', 'reconcile')),
  state          text not null check (state in ('asked', 'running', 'green', 'amber', 'red')),
  asked          text not null,                 -- JSON: the request's body
  asked_at       integer not null,
  began_at       integer,
  ended_at       integer,
  report         text,                          -- JSON
  primary key (connection, id)
) strict, without rowid;

insert into runs_anew (connection, id, kind, state, asked, asked_at, began_at, ended_at, report)
select connection, id, kind, state, asked, asked_at, began_at, ended_at, report from runs;

drop table runs;
alter table runs_anew rename to runs;

create unique index runs_asked on runs (connection, kind, asked) where state = 'asked';
create index runs_under_way on runs (connection) where state = 'running';

-- A preview works on a shadow of its connection: a row of its own, with a ledger, targets and cursors
-- of its own, that never runs and goes with the connection.
alter table connections add column shadow_of text references connections (id) on delete cascade;
