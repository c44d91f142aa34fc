//! One batch, and what to do when HubSpot refuses the whole of it.

use std::ops::Range;

use crate::{
    fault::{Fault, Refusal},
    hubspot::refusal::same_cause,
    send::Halt,
};

/// What became of one item: done, refused, or (`None`) named nowhere in the answer.
pub type Verdict<W> = Result<Option<W>, Refusal>;

/// Calls a refused batch may cost beyond its first.
const EXTRA_CALLS: u32 = 16;

pub enum Blocked {
    Halt(Halt),
    /// Every record is refused for one cause: it lies in the portal, not in the records.
    Portal(Refusal),
}

/// Sends `items` as one batch; refused as a whole, it is halved until the culprit is alone, so that
/// one bad record does not stop ninety-nine others. One verdict per item, in order.
pub async fn halving<T, W>(
    items: &[T],
    send: impl AsyncFn(&[T]) -> Result<Vec<Verdict<W>>, Halt>,
) -> Result<Vec<Verdict<W>>, Blocked> {
    let mut verdicts: Vec<Verdict<W>> = items.iter().map(|_| Ok(None)).collect();
    let mut extra = EXTRA_CALLS;
    let mut refused = Vec::new();
    if let Some(refusal) = attempt(items, 0..items.len(), &send, &mut verdicts).await? {
        refused.push((0..items.len(), refusal));
    }
    while let Some((range, refusal)) = refused.pop() {
        if range.len() == 1 {
            // cannot fail: every range is a part of the items, and each has its verdict
            verdicts[range.start] = Err(refusal);
            continue;
        }
        if extra < 2 {
            // Left unnamed, and so waiting: the next run isolates further.
            continue;
        }
        extra -= 2;
        let middle = range.start + range.len() / 2;
        let (left, right) = (range.start..middle, middle..range.end);
        let one = attempt(items, left.clone(), &send, &mut verdicts).await?;
        let other = attempt(items, right.clone(), &send, &mut verdicts).await?;
        match (one, other) {
            (Some(one), Some(other)) if same_cause(&one, &other) => {
                return Err(Blocked::Portal(one));
            }
            (one, other) => {
                refused.extend(one.map(|refusal| (left, refusal)));
                refused.extend(other.map(|refusal| (right, refusal)));
            }
        }
    }
    match refused_alike(&verdicts) {
        Some(refusal) => Err(Blocked::Portal(refusal)),
        None => Ok(verdicts),
    }
}

/// The refusal, where the batch was refused as a whole.
async fn attempt<T, W>(
    items: &[T],
    range: Range<usize>,
    send: &impl AsyncFn(&[T]) -> Result<Vec<Verdict<W>>, Halt>,
    verdicts: &mut [Verdict<W>],
) -> Result<Option<Refusal>, Blocked> {
    // cannot fail: every range is a part of the items, and each has its verdict
    match send(&items[range.clone()]).await {
        Ok(answers) => {
            // cannot fail: as above
            for (verdict, answer) in verdicts[range].iter_mut().zip(answers) {
                *verdict = answer;
            }
            Ok(None)
        }
        Err(Halt::Fault(Fault::Refused { refusal, .. })) => Ok(Some(*refusal)),
        Err(halt) => Err(Blocked::Halt(halt)),
    }
}

/// Several records, each refused, all for one cause.
fn refused_alike<W>(verdicts: &[Verdict<W>]) -> Option<Refusal> {
    let mut refusals = verdicts.iter().map(|verdict| verdict.as_ref().err());
    let first = refusals.next()??;
    let alike = |other: Option<&Refusal>| other.is_some_and(|other| same_cause(first, other));
    (verdicts.len() > 1 && refusals.all(alike)).then(|| first.clone())
}
