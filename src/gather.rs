//! Filling ordered sets and maps item by item. `collect` sorts first, and a sort is compiled for each
//! type: a fortieth of the Worker.

pub trait Gather: Iterator + Sized {
    /// What `collect` gives, item by item.
    fn gather<C: Default + Extend<Self::Item>>(self) -> C {
        let mut all = C::default();
        all.extend(self);
        all
    }
}

impl<I: Iterator> Gather for I {}
