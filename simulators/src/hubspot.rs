//! HubSpot: one portal.
