-- Invoices and HubSpot's deals meet over SYSPRO's order numbers.

-- The order an invoice was made from, without leading zeros; null: from none, or not read yet.
alter table ledger add column sales_order text;
create index ledger_order on ledger (connection, sales_order) where sales_order is not null;

-- What is in the ledger already is read once more for it: the sweep maps what an older mapping made.
update connections set mapping = mapping + 1;

-- The order numbers that people wrote on deals, as they were last read.
create table deals (
  connection     text not null references connections (id) on delete cascade,
  deal           text not null,                 -- HubSpot's id
  sales_order    text not null,                 -- without leading zeros
  primary key (connection, deal, sales_order)
) strict, without rowid;

-- The links between invoices and deals that we know of. Only those we made are ever taken away.
create table deal_links (
  connection     text not null references connections (id) on delete cascade,
  key            text not null,                 -- the invoice's, in the ledger
  deal           text not null,
  invoice_id     text not null,                 -- HubSpot's id of the invoice when it was linked
  made           text not null check (made in ('trying', 'ours', 'theirs', 'refused')),
  primary key (connection, key, deal)
) strict, without rowid;

create index deal_links_by_deal on deal_links (connection, deal);
