-- The whole state of the sync. Forward only: never edited once it ran anywhere.
-- Times are milliseconds since 1970 (UTC). Keys of the ERP are text, always.

-- One SYSPRO company and one HubSpot portal.
create table connections (
  id             text primary key,
  state          text not null check (state in ('active', 'incomplete', 'paused', 'broken')),
  state_reason   text,                          -- JSON reason: why it is incomplete or broken
  public         text not null,                 -- JSON: the connection without its secrets
  secrets        text not null,                 -- JSON: name -> sealed value
  portal         text not null,                 -- HubSpot's portal id, '' until it is known: the lease's key
  account        text,                          -- JSON: what is kept of the portal
  checks         text not null default '[]',    -- JSON: the last set-up checks
  mapping        integer not null default 1,    -- raised when a change of settings changes what is sent
  strikes        integer not null default 0,    -- runs in a row that a system refused outright
  parks          text not null default '{}',    -- JSON: kind of object, or '*' -> {until, times, reason}
  created_at     integer not null,
  changed_at     integer not null,
  last_run_at    integer,
  last_good_at   integer
) strict, without rowid;

-- One run at a time for each portal. A released lease keeps its row with a blank owner.
create table lease (
  portal         text primary key,
  owner          text not null,
  until          integer not null
) strict, without rowid;

-- How far a poll of a feed has read.
create table cursors (
  connection     text not null references connections (id) on delete cascade,
  feed           text not null,
  poll           text not null,
  position       text not null,                 -- JSON, see ingest
  primary key (connection, feed, poll)
) strict, without rowid;

-- One row for every SYSPRO record seen.
create table ledger (
  connection     text not null references connections (id) on delete cascade,
  feed           text not null,
  key            text not null,
  revision       integer not null,              -- raised by every change and every replay
  fate           text not null check (fate in ('waiting', 'synced', 'failing', 'excluded')),
  mark           text not null,                 -- hash of the record's own row as last read
  detail         text not null,                 -- hash of the rows beside it as last read
  hash           text not null,                 -- hash of what was last queued
  mapping        integer not null,              -- connections.mapping it was mapped under
  open_mark      text,                          -- an open invoice's balance as last read
  parent         text,                          -- an invoice's customer
  payload        text,                          -- JSON, kept while it waits to be sent
  reason         text,                          -- JSON reason, where the fate has one
  due            integer,                       -- when it is to be sent, or read again; null: nothing to do
  look_at        integer,                       -- once in sync: when the calendar alone changes it
  attempts       integer not null default 0,    -- refusals since it was last queued
  source_date    text,
  source_version text,
  seen_at        integer not null,
  synced_at      integer,
  gone_at        integer,                       -- when it was found missing in SYSPRO
  primary key (connection, feed, key)
) strict, without rowid;

create index ledger_due on ledger (connection, feed, due) where due is not null;
create index ledger_open on ledger (connection, feed, key) where open_mark is not null;

-- One row for every HubSpot object that came of a ledger row.
create table targets (
  connection     text not null,
  feed           text not null,
  key            text not null,
  kind           text not null,
  object_key     text not null,                 -- the value of its unique property
  hubspot_id     text,
  hash           text not null,                 -- hash of the properties last sent
  links          text not null,                 -- JSON: kind -> HubSpot id it was last linked to
  filled         text not null,                 -- JSON: properties we ever filled
  status         text,                          -- invoices: the HubSpot status last sent
  withheld       text,                          -- why a part is left out until it changes: 'email', 'deleted', 'merged'
  primary key (connection, feed, key, kind, object_key),
  foreign key (connection, feed, key) references ledger (connection, feed, key) on delete cascade
) strict, without rowid;

-- Append-only: one row for every write whose answer was read, and for every row that was rejected.
create table audit (
  connection     text not null,
  id             text not null,                 -- run/step/feed/key: derived, so that a repeat is the same row
  feed           text not null,
  key            text not null,
  outcome        text not null check (outcome in ('synced', 'waiting', 'failing', 'rejected')),
  at             integer not null,
  revision       integer,
  source_date    text,
  source_version text,
  seen_at        integer,
  taken_at       text,                          -- when HubSpot took it, as HubSpot said
  said           text not null,                 -- JSON: reason, warnings, objects
  primary key (connection, id)
) strict, without rowid;

create index audit_by_record on audit (connection, feed, key, id);

-- Runs that were asked for or did something; a quiet tick leaves only last_good_at.
create table runs (
  connection     text not null references connections (id) on delete cascade,
  id             text not null,
  kind           text not null check (kind in ('cron', 'sync', 'replay')),
  state          text not null check (state in ('asked', 'running', 'green', 'amber', 'red')),
  asked          text not null,                 -- JSON: the request's body
  asked_at       integer not null,
  began_at       integer,
  ended_at       integer,
  report         text,                          -- JSON
  primary key (connection, id)
) strict, without rowid;

create unique index runs_asked on runs (connection, kind, asked) where state = 'asked';

-- The ledger as people see it: an invoice that waits for a customer which will not come shows why.
create view records as
select l.connection, l.feed, l.key, l.revision, l.attempts as refusals, l.due, l.source_date, l.source_version,
  l.seen_at, l.synced_at, l.gone_at, l.parent,
  case when b.fate is not null then b.fate else l.fate end as status,
  case b.fate
    when 'excluded' then json_object('code', 'customer_excluded',
      'reason', 'Its customer ' || l.parent || ' is excluded.',
      'remedy', 'See the customer''s own reason.')
    when 'failing' then json_object('code', 'customer_failing',
      'reason', 'Its customer ' || l.parent || ' is failing.',
      'remedy', 'Mend the customer: the invoice follows by itself.')
    else case when l.fate = 'waiting' and l.reason is null and l.parent is not null
        and not exists (select 1 from ledger p where p.connection = l.connection
          and p.feed = 'customers' and p.key = l.parent)
      then json_object('code', 'customer_missing',
        'reason', 'Its customer ' || l.parent || ' was not found in SYSPRO yet.',
        'remedy', 'Check that the OData operator sees this customer in ArCustomer.')
      else l.reason end
    end as reason
from ledger l left join ledger b on l.fate = 'waiting' and l.parent is not null
  and b.connection = l.connection and b.feed = 'customers' and b.key = l.parent
  and b.fate in ('excluded', 'failing')
  and not exists (select 1 from targets t where t.connection = b.connection and t.feed = b.feed
    and t.key = b.key and t.kind = 'company' and t.hubspot_id is not null);
