-- What a record is to a customer that a person linked elsewhere, should it be linked back.

alter table targets add column past text not null default '{}' check (json_valid(past));  -- JSON by id: on what ground it was taken over (null: we made it), and which properties we filled

-- Whether a record is another customer's already is asked by its id, whoever made it.
drop index targets_adopted;
create index targets_of_customers on targets (hubspot_id)
  where feed = 'customers' and hubspot_id is not null;
