-- Records that were in HubSpot before us, or whose place another one takes.

alter table targets add column adopted text;          -- on what ground it was taken over: 'email', 'domain', 'hand'; null: we made it
alter table targets add column theirs text not null default '[]';      -- JSON: standard properties of an adopted one that had a value of people's
alter table targets add column candidates text not null default '[]';  -- JSON: ids of records that might have been it
alter table targets add column former text;           -- id of the record it was before, from which our key is still to be taken
alter table targets add column person text;           -- contacts: hashes of the name and of the e-mail last sent
alter table targets add column remade integer not null default 0;      -- how often it was made anew after people deleted it

-- Whether a record is another customer's already is asked by its id.
create index targets_adopted on targets (hubspot_id) where adopted is not null;
