//! What a call does to HubSpot: by that it is covered by the lease, and made again after a silence.

/// Whether a HubSpot call changes anything there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Read,
    Write,
    /// A write that made twice makes two: after a silence it is not made again.
    Create,
}

impl Effect {
    pub fn is_write(self) -> bool {
        self != Effect::Read
    }
}
