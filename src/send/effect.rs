//! What a call does to HubSpot: by that it is covered by the lease, and made again after a silence.

/// Whether a HubSpot call changes anything there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Read,
    /// A read that only a preview makes.
    Aside,
    Write,
    /// A write that made twice makes two: after a silence it is not made again.
    Create,
}

impl Effect {
    pub fn is_write(self) -> bool {
        matches!(self, Effect::Write | Effect::Create)
    }
}
