-- Each tick asks whether a run was cut off: it must not read the runs of 400 days for that.
create index runs_under_way on runs (connection) where state = 'running';
