//! Calls in flight: each takes a place, and there are no more than the governor allows, however many
//! batches go side by side.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    task::{Poll, Waker},
};

#[derive(Default)]
pub struct Places {
    taken: Cell<usize>,
    waiting: RefCell<Vec<Waker>>,
}

impl Places {
    /// Waits until fewer than `most` are taken. It takes none: whoever then may not go yet keeps nobody
    /// else from going.
    pub async fn free(&self, most: impl Fn() -> usize) {
        poll_fn(|context| match self.taken.get() < most() {
            true => Poll::Ready(()),
            false => {
                self.waiting.borrow_mut().push(context.waker().clone());
                Poll::Pending
            }
        })
        .await;
    }

    pub fn take(&self) {
        self.taken.set(self.taken.get() + 1);
    }

    /// A call that is dropped before its end gives nothing back: none is, since it may still land.
    pub fn give_back(&self) {
        self.taken.set(self.taken.get().saturating_sub(1));
        self.waiting.take().into_iter().for_each(Waker::wake);
    }
}
