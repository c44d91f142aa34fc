//! What becomes of an effect, fate by fate.

use std::cell::Cell;

use super::*;

#[test]
fn each_fate_does_and_says_its_own() {
    let within = 30 * SECOND;
    // What the caller is told, and the earliest and latest instant it may land at, if at all.
    type Told = fn(Result<u16, NoAnswer>) -> bool;
    let table: [(Fate, Told, Option<[Millis; 2]>); 6] = [
        (Fate::Answers, |told| told == Ok(200), Some([20, 20])),
        (
            Fate::Refused,
            |told| matches!(told, Ok(503) | Err(NoAnswer::Broken)),
            None,
        ),
        (
            Fate::AnswerLost,
            |told| told == Err(NoAnswer::Broken),
            Some([20, 20]),
        ),
        (
            Fate::FailsAfter,
            |told| told.is_ok_and(|status| status >= 500),
            Some([20, 20]),
        ),
        (
            Fate::LandsLate,
            |told| told == Err(NoAnswer::TimedOut),
            Some([within, within + SETTLE]),
        ),
        (Fate::Never, |told| told == Err(NoAnswer::TimedOut), None),
    ];
    for (seed, (fate, told, lands)) in (0..20).flat_map(|seed| table.map(|row| (seed, row))) {
        let weather = Weather::always(Effect::Http, fate);
        let (world, echo) = world(Start {
            seed,
            weather,
            ..Start::calm()
        });
        let answer = world.run(|inv| async move { ask(&inv, "/").await });
        assert!(told(answer), "{fate:?} {answer:?}");
        world.settle();
        match (lands, heard(&echo)[..].first()) {
            (None, None) => {}
            (Some([from, to]), Some(at)) => assert!((from..=to).contains(at), "{fate:?} {at}"),
            other => panic!("{fate:?} {other:?}"),
        }
    }
}

#[test]
fn each_fate_of_a_commit() {
    let table = [
        (Fate::Answers, Ok(vec![vec![]]), 1),
        (Fate::AnswerLost, Err(StoreError::Unknown), 1),
        (Fate::LandsLate, Err(StoreError::Unknown), 1),
        (Fate::Never, Err(StoreError::Unknown), 0),
        (
            Fate::Refused,
            Err(StoreError::Refused("D1 DB is overloaded".into())),
            0,
        ),
    ];
    for (fate, told, rows) in table {
        let (world, _) = world(Start::calm());
        world
            .run(|inv| async move { write(&inv, TABLE).await })
            .expect("a table");
        world.set_weather(Weather::always(Effect::D1, fate));
        assert_eq!(
            world.run(|inv| async move { write(&inv, INSERT).await }),
            told
        );
        world.settle();
        assert_eq!(world.rows("select * from t").len(), rows, "{fate:?}");
    }
}

#[test]
fn death_drops_the_future_and_not_the_effect() {
    for (fate, landings) in [(Fate::DiesBefore, 0), (Fate::DiesAfter, 1)] {
        let (world, echo) = under(Weather::always(Effect::Http, fate));
        let held = Rc::new(());
        let (seen, after) = (Rc::downgrade(&held), Rc::new(Cell::new(false)));
        let reached = after.clone();
        let task = world.spawn_at(world.now(), "tick", move |inv| async move {
            let _held = held;
            let _ = ask(&inv, "/").await;
            reached.set(true);
        });
        world.settle();
        assert_eq!(world.ending(task), Some(Ending::Died("the weather")));
        assert_eq!((seen.upgrade(), after.get()), (None, false));
        assert_eq!(heard(&echo).len(), landings);
        assert_eq!(world.fetch_log()[0].told, None);
    }
}

#[test]
fn arranged_troubles_happen_once_and_to_the_letter() {
    let page = || http::Response::new(Vec::new());
    let table = [
        (Reply::After(50, page()), Ok(200), Some(20), 70),
        (
            Reply::After(50_000, page()),
            Err(NoAnswer::TimedOut),
            Some(20),
            30_000,
        ),
        (Reply::Done, Err(NoAnswer::Broken), Some(20), 40),
        (Reply::NotDone, Err(NoAnswer::Broken), None, 40),
        (Reply::DoneLater(500), Err(NoAnswer::Broken), Some(520), 40),
    ];
    for (reply, told, landed, answered) in table {
        let (world, echo) = world(Start::calm());
        let what = format!("{reply:?}");
        echo.borrow_mut().arranged.insert("/", reply);
        let said = world.run(|inv| async move { ask(&inv, "/").await });
        world.settle();
        let call = world.fetch_log()[0].clone();
        let since = |at: Option<Millis>| at.map(|at| at - Start::NOW);
        assert_eq!((said, call.told), (told, Some(told)), "{what}");
        assert_eq!(
            (since(call.landed), since(call.answered)),
            (landed, Some(answered)),
            "{what}"
        );
        assert_eq!(heard(&echo), Vec::from_iter(landed), "{what}");
        assert_eq!(
            world.run(|inv| async move { ask(&inv, "/").await }),
            Ok(200)
        );
    }
}

#[test]
fn nothing_lands_later_than_settle_after_its_caller_gave_up() {
    let mut troubled = 0;
    for seed in seeds(40) {
        let (world, _) = world(Start::storm(seed));
        world.spawn_at(world.now(), "tick", |inv| async move {
            for _ in 0..20 {
                let _ = ask(&inv, "/").await;
            }
        });
        world.settle();
        for call in world.fetch_log().iter() {
            let last = call.issued + 30 * SECOND + SETTLE;
            assert!(call.landed.is_none_or(|landed| landed <= last), "{call:?}");
            troubled += usize::from(call.fate != Some(Fate::Answers));
        }
    }
    assert!(troubled > 0 || seeds(40).len() == 1, "a storm without wind");
}
