//! SYSPRO: OData and e.net.
