//! What e.net's refusals mean to the person who must do something about them.

use super::code;
use crate::fault::{Fault, Reason, Refusal};

/// Any fault of e.net's, as a reason with a remedy.
pub fn reason(fault: &Fault) -> Reason {
    let plain = |code: &str| Reason::new(code, fault.sentence(), fault.remedy());
    match fault {
        Fault::Refused { refusal, .. } => refused(refusal).unwrap_or_else(|| plain("enet_refused")),
        _ => plain("enet_fault"),
    }
}

fn refused(refusal: &Refusal) -> Option<Reason> {
    let (why, remedy) = match refusal.code.as_str() {
        code::OPERATOR => (
            "SYSPRO e.net does not know the operator.",
            "PATCH the connection with the operator's code as `syspro.operator`; it must be allowed to use e.net.",
        ),
        code::OPERATOR_PASSWORD => (
            "SYSPRO e.net does not accept the operator's password.",
            "PATCH the connection with the right `syspro.operator_password`. So that the operator is not locked out it is tried once, and then not before an hour has passed.",
        ),
        code::COMPANY => (
            "SYSPRO e.net does not let the operator into the company.",
            "Compare `syspro.company` with SYSPRO's list of companies, and have the operator allowed to enter it. A connection keeps its company: if it is the wrong one, delete the connection and make it again.",
        ),
        code::COMPANY_PASSWORD => (
            "SYSPRO e.net does not accept the company's password.",
            "PATCH the connection with the right `syspro.company_password`, or with \"\" where the company has none.",
        ),
        code::SEATS_FULL => (
            "All of SYSPRO's e.net licences are taken.",
            "Let somebody log off, or get another licence; it is tried again every quarter of an hour.",
        ),
        code::LOGON => (
            "SYSPRO e.net refuses to log the operator on, in words the sync does not know.",
            "Log on to SYSPRO with the operator by hand once: see that its password has not expired and that it may use e.net. It is tried again after an hour, or after a PATCH.",
        ),
        code::NOT_LICENSED => (
            "COMFND, which reads tables over SYSPRO e.net, is not licensed for the operator.",
            "Add the functional area of COMFND to the operator in SYSPRO's e.net License Apportionment, or publish the tables over OData.",
        ),
        code::EVICTED => (
            "SYSPRO ended the e.net session twice within an hour, so the sync stops logging on for an hour.",
            "Give the sync an operator of its own: whoever signs in with the same one ends its session. If it has one, set the time-out of its licence class to more than 12 minutes.",
        ),
        code::SILENT => (
            "SYSPRO e.net did not answer when it was last asked, less than an hour ago.",
            "See that the e.net service runs and answers queries. It is asked again after an hour, or after a PATCH.",
        ),
        code::OBJECT => (
            "SYSPRO e.net refuses the query.",
            "See that the operator may run COMFND, and that this SYSPRO has the table and its columns.",
        ),
        _ => return None,
    };
    Some(Reason::new(&format!("enet_{}", refusal.code), why, remedy))
}
