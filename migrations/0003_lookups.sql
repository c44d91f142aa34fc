-- What SYSPRO's codes stand for, kept between runs; and when the database was last tidied.

-- One row for each table of codes, as it was last read.
create table lookups (
  connection     text not null references connections (id) on delete cascade,
  name           text not null,                 -- SYSPRO's name of the table
  hash           text not null,                 -- of what its rows mean; blank while there are none
  asked_at       integer not null,              -- when it was last asked for, whatever came of it
  codes          text,                          -- JSON: its rows; null: this site does not publish it
  primary key (connection, name)
) strict, without rowid;

-- What the whole deployment does once in a while.
create table upkeep (
  task           text primary key,
  done_at        integer not null
) strict, without rowid;

-- A portal's currencies and its offset from UTC change without anybody telling us.
alter table connections add column account_at integer not null default 0;  -- when the portal was last asked about itself
