//! How the world goes on: whoever was woken is polled, then the earliest event happens.

use syspro_hubspot_sync::platform::Millis;

use super::{
    Landing, World,
    invocation::Invocation,
    record::{Ending, TaskId},
    scheduler::Task,
};

impl World {
    pub(super) fn born(&self, task: TaskId) -> Invocation {
        let mut core = self.core.borrow_mut();
        let most = core.weather.skew;
        core.lives[task].skew = core.rng.i64(-most..=most);
        core.lives[task].dies_at = Some(core.now + core.caps.wall);
        core.note(task, "starts");
        Invocation {
            core: self.core.clone(),
            task,
        }
    }

    pub(super) fn landed(&self, landing: &Landing<'_>) {
        let mut hooks = self.hooks.take();
        for hook in &mut hooks {
            hook(self, landing);
        }
        self.hooks.borrow_mut().append(&mut hooks);
    }

    pub(super) fn kill(&self, task: TaskId, why: &'static str) {
        if self.ending(task).is_some() {
            return;
        }
        self.end(task, Ending::Died(why));
    }

    fn end(&self, task: TaskId, ending: Ending) {
        let mut core = self.core.borrow_mut();
        core.note(task, &format!("{ending:?}"));
        core.lives[task].ending = Some(ending);
        let turn = std::mem::take(&mut core.lives[task].turn);
        drop(core);
        drop(turn);
        let future = self.tasks.borrow_mut()[task].take();
        drop(future);
    }

    /// Polls whoever was woken, then lets one event happen; `false` when none is left until then.
    pub(super) fn step(&self, until: Millis) -> bool {
        self.poll_woken();
        self.next_event(until)
    }

    pub(super) fn next_event(&self, until: Millis) -> bool {
        let mut core = self.core.borrow_mut();
        let expires = core.next_to_expire();
        let next = core.queue.first_key_value().map(|(key, _)| key.0);
        match (next, expires) {
            (next, Some((instant, task)))
                if instant <= until && next.is_none_or(|next| instant < next) =>
            {
                core.now = instant;
                drop(core);
                self.kill(task, "past its wall time");
            }
            (Some(next), _) if next <= until => {
                core.now = next;
                let (_, event) = core.queue.pop_first().expect("it has a first");
                drop(core);
                event(self);
            }
            _ => return false,
        }
        true
    }

    pub(super) fn poll_woken(&self) {
        let count = self.tasks.borrow().len();
        for id in 0..count {
            let mut polls = 0;
            while let Some(task) = self.take_woken(id) {
                polls += 1;
                assert!(polls < 100_000, "task {id} wakes itself for ever");
                match self.poll(task) {
                    None => self.end(id, Ending::Done),
                    pending => self.tasks.borrow_mut()[id] = pending,
                }
            }
            self.refuse_deadlock(id);
        }
    }

    /// One step of a task; nothing is left of one that is done.
    fn poll(&self, task: Task) -> Option<Task> {
        let mut task = Some(task);
        let mut step = || {
            task.take_if(|task| task.poll().is_ready());
        };
        match &mut *self.around.borrow_mut() {
            Some(around) => around(&mut step),
            None => step(),
        }
        task
    }

    fn take_woken(&self, id: TaskId) -> Option<Task> {
        let mut tasks = self.tasks.borrow_mut();
        tasks[id].take_if(|task| task.is_woken())
    }

    /// A task that waits, and for nothing that could ever come, waits for ever.
    fn refuse_deadlock(&self, id: TaskId) {
        let core = self.core.borrow();
        let life = &core.lives[id];
        let waits_for_something = life.waits > 0 || life.dies_at <= Some(core.now);
        let pending = self.tasks.borrow()[id].is_some();
        assert!(
            !pending || waits_for_something,
            "deadlock: {}#{id} waits for nothing",
            life.name
        );
    }
}
