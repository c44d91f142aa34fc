//! SYSPRO to HubSpot sync.
