//! One batch, and what to do when HubSpot refuses the whole of it.

use std::{
    cell::{Cell, RefCell},
    ops::Range,
};

use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture, stream};

use crate::{
    fault::{Fault, Refusal},
    hubspot::refusal::same_cause,
    pace::MOST_WIDTH,
    send::Halt,
};

/// What became of one item: done, refused, or (`None`) named nowhere in the answer.
pub type Verdict<W> = Result<Option<W>, Refusal>;

/// Calls a refused batch may cost beyond its first.
const EXTRA_CALLS: u32 = 16;
/// Fewer refused alike are the records' fault, not the portal's.
const FEW: usize = 2;
/// Halved twice; up to there all parts go on, to tell the portal's fault from the records'.
const QUARTERS: u32 = 2;

pub enum Blocked {
    Halt(Halt),
    /// Every record is refused for one cause: it lies in the portal, not in the records.
    Portal(Refusal),
}

/// What became of a batch, also where it ended early: an id that HubSpot gave is never forgotten.
pub struct Sent<W> {
    /// One for each item, in order.
    pub verdicts: Vec<Verdict<W>>,
    pub blocked: Option<Blocked>,
    /// So many items were taken where twice as many were refused, though none of them was bad.
    pub fits: Option<usize>,
}

/// Sends `items` in batches of at most `most`, side by side. Once one is blocked none begins any more;
/// what is under way is waited for.
pub async fn side_by_side<T, W>(
    items: &[T],
    most: usize,
    send: impl AsyncFn(&[T]) -> Result<Vec<Verdict<W>>, Halt>,
) -> Sent<W> {
    let stopped = Cell::new(false);
    let batches = items.chunks(most.max(1));
    let answers: Vec<Sent<W>> = batches.clone().map(|it| Sent::untold(it.len())).collect();
    let answers = RefCell::new(answers);
    let batches = batches.enumerate().map(|(place, batch)| {
        let (stopped, answers, send) = (&stopped, &answers, &send);
        async move {
            if stopped.get() {
                return;
            }
            let sent = halving(batch, send).await;
            stopped.set(stopped.get() || sent.blocked.is_some());
            // cannot fail: there is an answer for each batch
            answers.borrow_mut()[place] = sent;
        }
        .boxed_local()
    });
    some_at_once(batches.collect()).await;
    let mut all = Sent::untold(0);
    for sent in answers.into_inner() {
        all.verdicts.extend(sent.verdicts);
        all.blocked = all.blocked.or(sent.blocked);
        all.fits = all.fits.into_iter().chain(sent.fits).min();
    }
    all
}

/// As many as can ever be in flight; whether they may be is asked where each call is made.
async fn some_at_once(batches: Vec<LocalBoxFuture<'_, ()>>) {
    let mut batches = stream::iter(batches).buffer_unordered(MOST_WIDTH);
    while batches.next().await.is_some() {}
}

impl<W> Sent<W> {
    /// Nobody heard anything of so many.
    fn untold(items: usize) -> Self {
        Self {
            verdicts: (0..items).map(|_| Ok(None)).collect(),
            blocked: None,
            fits: None,
        }
    }
}

/// Sends `items` as one batch; refused as a whole, it is halved until the culprit is alone, so that
/// one bad record does not stop ninety-nine others.
pub async fn halving<T, W>(
    items: &[T],
    send: impl AsyncFn(&[T]) -> Result<Vec<Verdict<W>>, Halt>,
) -> Sent<W> {
    let unnamed = || items.iter().map(|_| Ok(None)).collect();
    let verdicts: RefCell<Vec<Verdict<W>>> = RefCell::new(unnamed());
    let attempt = |part| attempt(items, part, &send, &verdicts).boxed_local();
    let mut alone = Vec::new();
    let done = isolate(items.len(), &attempt, &mut alone).await;
    let mut verdicts = verdicts.into_inner();
    for (place, refusal) in alone {
        // cannot fail: every part is of the items, and each has its verdict
        verdicts[place] = Err(refusal);
    }
    let done = done.and_then(|fits| match items.len() > FEW {
        true => alike(&Vec::from_iter(verdicts.iter().map(|it| it.as_ref().err()))).map(|()| fits),
        false => Ok(fits),
    });
    if let Err(Blocked::Portal(_)) = done {
        // Nobody's own fault: they wait.
        verdicts = unnamed();
    }
    let (fits, blocked) = match done {
        Ok(fits) => (fits, None),
        Err(blocked) => (None, Some(blocked)),
    };
    Sent {
        verdicts,
        blocked,
        fits,
    }
}

/// Sends a part of the items; answers the refusal, where it was refused as a whole. What is sent, and
/// what comes of it, is no matter to the isolation, which is compiled once for all.
type Attempt<'a> = dyn Fn(Part) -> LocalBoxFuture<'a, Result<Option<Refusal>, Blocked>> + 'a;
type Part = Range<usize>;
/// Those that were refused when sent alone, with their places.
type Alone = Vec<(usize, Refusal)>;

async fn isolate(
    items: usize,
    attempt: &Attempt<'_>,
    alone: &mut Alone,
) -> Result<Option<usize>, Blocked> {
    let mut extra = EXTRA_CALLS;
    let mut accepted = false;
    let mut fits = None;
    let mut parts: Vec<Part> = std::iter::once(0..items).collect();
    let mut refused: Vec<(Part, Refusal)> = Vec::new();
    for depth in 0..=QUARTERS {
        let halved = depth == 1 && !parts.is_empty();
        for part in std::mem::take(&mut parts) {
            match attempt(part.clone()).await? {
                Some(refusal) => refused.push((part, refusal)),
                None => accepted = true,
            }
        }
        if halved && refused.is_empty() {
            fits = Some(items.div_ceil(2));
        }
        if depth < QUARTERS {
            let (single, whole) = refused.drain(..).partition(|(part, _)| part.len() == 1);
            refused = single;
            parts = Vec::<(Part, Refusal)>::into_iter(whole)
                .flat_map(|(part, _)| halves(&part))
                .collect();
            extra = extra.saturating_sub(u32::try_from(parts.len()).unwrap_or(u32::MAX));
        }
    }
    // A quarter each, and not one accepted: two bad records do not look like that.
    if !accepted && items > FEW {
        let portal = alike(&Vec::from_iter(refused.iter().map(|(_, it)| Some(it))));
        if let Err(portal) = portal {
            // Some bad ones in every quarter do.
            let tried = one_of_each(refused, attempt, alone).await?;
            if !tried.accepted {
                return Err(portal);
            }
            extra = extra.saturating_sub(tried.calls);
            (parts, refused) = (tried.untold, tried.refused);
        }
    }
    let refused = refused.into_iter().map(|(part, why)| (part, Some(why)));
    let untold = parts.into_iter().map(|part| (part, None));
    one_by_one(refused.chain(untold).rev().collect(), extra, attempt, alone).await?;
    Ok(fits)
}

fn halves(part: &Part) -> [Part; 2] {
    let middle = part.start + part.len() / 2;
    [part.start..middle, middle..part.end]
}

/// Isolates one culprit after the other, so that however many there are each run finds some: level
/// by level, a batch full of them would be no further when the calls are spent. The last part comes
/// first; one whose refusal is not known is tried, which is paid for.
async fn one_by_one(
    mut parts: Vec<(Part, Option<Refusal>)>,
    mut extra: u32,
    attempt: &Attempt<'_>,
    alone: &mut Alone,
) -> Result<(), Blocked> {
    while let Some((part, known)) = parts.pop() {
        let refusal = match known {
            Some(refusal) => Some(refusal),
            None => attempt(part.clone()).await?,
        };
        match refusal {
            None => {}
            Some(refusal) if part.len() == 1 => alone.push((part.start, refusal)),
            Some(_) if extra >= 2 => {
                extra -= 2;
                let [first, second] = halves(&part);
                parts.extend([(second, None), (first, None)]);
            }
            // It is left unnamed, and so waiting: the next run isolates further.
            Some(_) => {}
        }
    }
    Ok(())
}

/// What came of trying one record of each part alone.
#[derive(Default)]
struct Tried {
    accepted: bool,
    calls: u32,
    /// What is left of parts whose one record was refused: it may be the only bad one.
    untold: Vec<Part>,
    /// What is left of parts whose one record was accepted: the culprit is among the rest.
    refused: Vec<(Part, Refusal)>,
}

/// A cause that is the portal's refuses every record, also one alone.
async fn one_of_each(
    refused: Vec<(Part, Refusal)>,
    attempt: &Attempt<'_>,
    alone: &mut Alone,
) -> Result<Tried, Blocked> {
    let mut tried = Tried::default();
    for (part, refusal) in refused {
        if part.len() == 1 {
            tried.refused.push((part, refusal));
            continue;
        }
        let rest = part.start + 1..part.end;
        tried.calls += 1;
        match attempt(part.start..rest.start).await? {
            Some(its_own) => {
                alone.push((part.start, its_own));
                tried.untold.push(rest);
            }
            None => {
                tried.accepted = true;
                tried.refused.push((rest, refusal));
            }
        }
    }
    tried.calls += u32::try_from(tried.untold.len()).unwrap_or(u32::MAX);
    Ok(tried)
}

async fn attempt<T, W>(
    items: &[T],
    part: Part,
    send: &impl AsyncFn(&[T]) -> Result<Vec<Verdict<W>>, Halt>,
    verdicts: &RefCell<Vec<Verdict<W>>>,
) -> Result<Option<Refusal>, Blocked> {
    // cannot fail: every part is of the items, and each has its verdict
    match send(&items[part.clone()]).await {
        Ok(answers) => {
            let mut verdicts = verdicts.borrow_mut();
            // cannot fail: as above
            for (verdict, answer) in verdicts[part].iter_mut().zip(answers) {
                *verdict = answer;
            }
            Ok(None)
        }
        Err(Halt::Fault(Fault::Refused { refusal, .. })) => Ok(Some(*refusal)),
        Err(halt) => Err(Blocked::Halt(halt)),
    }
}

/// Fails when each is refused, and all for one cause.
fn alike(refusals: &[Option<&Refusal>]) -> Result<(), Blocked> {
    let Some((Some(first), others)) = refusals.split_first() else {
        return Ok(());
    };
    let is_same = |other: &Option<&Refusal>| other.is_some_and(|other| same_cause(first, other));
    match others.iter().all(is_same) {
        true => Err(Blocked::Portal((*first).clone())),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// A hundred records, some of them bad, before a portal that refuses batches whole.
    fn send(bad: &[(usize, &str)]) -> (Sent<()>, u32) {
        let items: Vec<usize> = (0..100).collect();
        let calls = Cell::new(0);
        let sent = halving(&items, async |some| {
            calls.set(calls.get() + 1);
            match bad.iter().find(|(item, _)| some.contains(item)) {
                Some((_, code)) => Err(Halt::Fault(Fault::Refused {
                    system: crate::fault::System::HubSpot,
                    status: 400,
                    refusal: Box::new(Refusal::coded(code)),
                })),
                None => Ok(some.iter().map(|_| Ok(Some(()))).collect()),
            }
        });
        let sent = sent.now_or_never().expect("nothing waits here");
        (sent, calls.get() - 1)
    }

    fn done(sent: &Sent<()>) -> usize {
        let done = |verdict: &&Verdict<()>| matches!(verdict, Ok(Some(())));
        sent.verdicts.iter().filter(done).count()
    }

    #[test]
    fn one_bad_record_is_alone_in_the_end() {
        for place in [0, 37, 50, 99] {
            let (sent, extra) = send(&[(place, "ODD")]);
            assert_eq!(done(&sent), 99);
            assert_eq!(sent.verdicts[place], Err(Refusal::coded("ODD")));
            assert!(extra <= 15, "{extra} extra calls");
            assert!(sent.blocked.is_none());
        }
    }

    #[test]
    fn two_bad_records_refused_alike_are_not_the_portals_fault() {
        let (sent, extra) = send(&[(3, "ODD"), (77, "ODD")]);
        assert!(sent.blocked.is_none());
        assert!(extra <= EXTRA_CALLS, "{extra} extra calls");
        // What was not isolated within the calls allowed waits for the next run.
        assert!(done(&sent) >= 85, "{} done", done(&sent));
    }

    #[test]
    fn some_in_every_quarter_are_not_either() {
        let bad = [3, 29, 58, 77, 91].map(|place| (place, "RULE"));
        let (sent, extra) = send(&bad);
        assert!(sent.blocked.is_none());
        assert!(extra <= EXTRA_CALLS, "{extra} extra calls");
        assert!(done(&sent) >= 4, "{} done", done(&sent));
    }

    #[test]
    fn a_batch_full_of_bad_records_gets_smaller_with_each_run() {
        let codes: Vec<String> = (0..100).map(|item| format!("ODD {item}")).collect();
        let all: Vec<(usize, &str)> = (0..100).map(|item| (item, &*codes[item])).collect();
        let (sent, extra) = send(&all);
        assert!(sent.blocked.is_none());
        assert!(extra <= EXTRA_CALLS, "{extra} extra calls");
        assert!(sent.verdicts.iter().any(Result::is_err), "nobody is named");
    }

    #[test]
    fn a_hundred_refused_alike_are() {
        let all: Vec<(usize, &str)> = (0..100).map(|item| (item, "RULE")).collect();
        let (sent, extra) = send(&all);
        assert!(matches!(sent.blocked, Some(Blocked::Portal(_))));
        // Two halves, four quarters, and one record of each.
        assert_eq!(extra, 10);
        assert!(sent.verdicts.iter().all(|verdict| *verdict == Ok(None)));
    }
}
