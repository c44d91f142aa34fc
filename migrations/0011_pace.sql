-- What the portal's governor has learned and spent, for the run that comes next: a JSON object that
-- only it reads. It stands beside the lease because both are the portal's, and both are written when
-- a run ends.

alter table lease add column pace text;
