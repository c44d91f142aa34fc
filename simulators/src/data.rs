//! A distributor that believably could be: its tables, and how they change as time moves on.
