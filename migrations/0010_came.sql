-- When a record was first seen; null: before this was kept. A reconciliation counts what was there when
-- it began.
alter table ledger add column came_at integer;
