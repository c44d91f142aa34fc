//! What one invocation has asked of D1, as D1 itself counts it: rows are what an operator pays for.

use std::cell::Cell;

use serde_json::{Value, json};

#[derive(Default)]
pub struct Cost {
    statements: Cell<u64>,
    rows_read: Cell<u64>,
    rows_written: Cell<u64>,
}

impl Cost {
    /// Adds one statement. What D1 leaves out counts as nothing: a cost must never spoil what was done.
    pub fn add(&self, meta: &Value) {
        let count = |name| meta.get(name).and_then(Value::as_u64).unwrap_or(0);
        self.statements.set(self.statements.get() + 1);
        self.rows_read
            .set(self.rows_read.get() + count("rows_read"));
        let written = self.rows_written.get() + count("rows_written");
        self.rows_written.set(written);
    }

    /// The log line that ends an invocation which may have run something.
    pub fn of(&self, event: &str) -> String {
        json!({
            "event": event,
            "d1_statements": self.statements.get(),
            "d1_rows_read": self.rows_read.get(),
            "d1_rows_written": self.rows_written.get(),
            "memory_bytes": memory(),
        })
        .to_string()
    }
}

/// The most that this isolate has needed so far: the memory of wasm never shrinks.
#[cfg(target_arch = "wasm32")]
fn memory() -> usize {
    const PAGE: usize = 65_536;
    core::arch::wasm32::memory_size::<0>() * PAGE
}

#[cfg(not(target_arch = "wasm32"))]
fn memory() -> usize {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_d1_counts_is_added_up_and_what_it_leaves_out_is_nothing() {
        let cost = Cost::default();
        cost.add(&json!({ "rows_read": 7, "rows_written": 2, "duration": 0.25 }));
        cost.add(&json!({ "rows_read": 1 }));
        cost.add(&Value::Null);
        let line: Value = serde_json::from_str(&cost.of("tick")).expect("JSON");
        let expected = json!({
            "event": "tick", "d1_statements": 3, "d1_rows_read": 8, "d1_rows_written": 2, "memory_bytes": 0,
        });
        assert_eq!(line, expected);
    }
}
