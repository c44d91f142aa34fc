use std::collections::VecDeque;

use super::*;

const MIDNIGHT: Millis = 1_000 * DAY;
const START: Millis = MIDNIGHT - DAY / 2;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
        .collect()
}

fn window(max: &str) -> HeaderMap {
    headers(&[
        ("x-hubspot-ratelimit-max", max),
        ("x-hubspot-ratelimit-interval-milliseconds", "10000"),
    ])
}

fn daily(limit: &str, left: &str) -> HeaderMap {
    headers(&[
        ("x-hubspot-ratelimit-daily", limit),
        ("x-hubspot-ratelimit-daily-remaining", left),
    ])
}

/// As many calls as the lane permits for `lasting`, asked again exactly when told to.
fn saturate(pace: &mut Pace, lane: Lane, from: Millis, lasting: Millis) -> Vec<Millis> {
    let (mut now, mut calls) = (from, Vec::new());
    while now < from + lasting {
        match pace.permit(now, lane) {
            Permit::Go => calls.push(now),
            Permit::Wait(wait) => {
                assert!(wait > 0);
                now += wait;
            }
            Permit::Park(until) => panic!("parked until {until}"),
        }
    }
    calls
}

fn most_in_any_window(calls: &[Millis], within: Millis) -> usize {
    let counts = calls.iter().enumerate().map(|(first, start)| {
        let inside = calls[first..].iter().take_while(|at| **at < start + within);
        inside.count()
    });
    counts.max().unwrap_or(0)
}

#[test]
fn no_rolling_window_holds_more_than_the_share_and_nearly_all_of_it_is_used() {
    for (lane, max, share, within) in [
        (Lane::General, None, 0.8, 10_000),
        (Lane::General, Some("190"), 0.8, 10_000),
        (Lane::General, Some("250"), 0.7, 10_000),
        (Lane::General, Some("110"), 1.0, 10_000),
        (Lane::General, Some("190"), 0.01, 10_000),
        (Lane::Associations, None, 0.8, 10_000),
        (Lane::Search, None, 0.8, 1_000),
    ] {
        let mut pace = Pace::new(share, 1.0, MIDNIGHT);
        if let Some(max) = max {
            pace.learn(START, lane, &window(max));
        }
        let lasting = 20 * within;
        let calls = saturate(&mut pace, lane, START, lasting);
        let limit = max.map_or(if lane == Lane::Search { 5.0 } else { 100.0 }, |max| {
            max.parse().unwrap()
        });
        let budget = ((limit * share + 1e-9) as usize).max(1);
        let most = most_in_any_window(&calls, within);
        assert!(most <= budget, "{lane:?} {max:?}: {most} of {budget}");
        let least = budget * 20 * 95 / 100;
        assert!(
            calls.len() >= least,
            "{lane:?} {max:?}: {} of {least}",
            calls.len()
        );
    }
}

#[test]
fn calls_are_spread_but_for_the_first_few() {
    let mut pace = Pace::new(0.8, 1.0, MIDNIGHT);
    let calls = saturate(&mut pace, Lane::General, START, 2 * SECOND);
    let since: Vec<Millis> = calls.iter().take(8).map(|at| at - START).collect();
    assert_eq!(since, [0, 0, 0, 0, 0, 125, 250, 375]);
    assert_eq!(calls.len(), 20);
}

#[test]
fn associations_count_in_both_windows_and_search_in_its_own() {
    let mut pace = Pace::new(0.8, 1.0, MIDNIGHT);
    pace.learn(START, Lane::Associations, &window("150"));
    let linked = saturate(&mut pace, Lane::Associations, START, 10 * SECOND);
    assert_eq!(linked.len(), 80);
    let now = START + 10 * SECOND - 1;
    assert!(matches!(pace.permit(now, Lane::General), Permit::Wait(_)));
    assert_eq!(pace.permit(now, Lane::Search), Permit::Go);
}

#[test]
fn a_slower_asker_gets_its_full_share_too() {
    let mut pace = Pace::new(0.8, 1.0, MIDNIGHT);
    let (mut now, mut calls) = (START, 0);
    while now < START + 100 * SECOND {
        match pace.permit(now, Lane::General) {
            Permit::Go => calls += 1,
            Permit::Wait(wait) => now += wait + 90,
            Permit::Park(_) => panic!("parked"),
        }
    }
    assert!(calls >= 760, "{calls}");
}

#[test]
fn the_day_is_shared_and_ends_at_the_portals_midnight() {
    let mut pace = Pace::new(0.8, 0.5, MIDNIGHT);
    pace.learn(START, Lane::General, &daily("250000", "125002"));
    assert_eq!(pace.permit(START, Lane::General), Permit::Go);
    assert_eq!(pace.permit(START, Lane::Search), Permit::Go);
    for lane in [Lane::General, Lane::Associations, Lane::Search] {
        assert_eq!(pace.permit(START + SECOND, lane), Permit::Park(MIDNIGHT));
    }
    assert_eq!(pace.permit(MIDNIGHT, Lane::General), Permit::Go);
    pace.learn(MIDNIGHT, Lane::General, &daily("250000", "0"));
    let next = Permit::Park(MIDNIGHT + DAY);
    assert_eq!(pace.permit(MIDNIGHT + SECOND, Lane::General), next);
}

#[test]
fn a_429_holds_its_lane_as_long_as_asked() {
    let mut pace = Pace::new(0.8, 0.5, MIDNIGHT);
    pace.throttled(START, Lane::Search, 4_000);
    assert_eq!(pace.permit(START, Lane::Search), Permit::Wait(4_000));
    assert_eq!(pace.permit(START, Lane::General), Permit::Go);
    assert_eq!(pace.permit(START + 4_000, Lane::Search), Permit::Go);
    pace.throttled(START, Lane::General, 4_000);
    assert!(matches!(
        pace.permit(START, Lane::Associations),
        Permit::Wait(4_000)
    ));
}

#[test]
fn a_window_others_have_emptied_is_left_alone_for_a_while() {
    let mut pace = Pace::new(0.8, 0.5, MIDNIGHT);
    let empty = headers(&[("x-hubspot-ratelimit-remaining", "0")]);
    pace.learn(START, Lane::General, &empty);
    assert_eq!(pace.permit(START, Lane::General), Permit::Wait(SECOND));
}

/// A portal whose window others fill by a steady number of calls, asked as fast as we may.
#[test]
fn what_others_spend_is_left_to_them() {
    for others in [20, 63, 120] {
        let mut pace = Pace::new(0.8, 1.0, MIDNIGHT);
        let mut calls: VecDeque<Millis> = VecDeque::new();
        let (mut now, mut too_many, mut ours) = (START, 0, 0);
        while now < START + 60_000 {
            match pace.permit(now, Lane::General) {
                Permit::Go => {
                    ours += 1;
                    calls.retain(|at| at + 10_000 > now);
                    calls.push_back(now);
                    let left = 190_usize.saturating_sub(calls.len() + others);
                    too_many += usize::from(calls.len() + others > 190);
                    let mut answer = window("190");
                    let left = left.to_string().parse().unwrap();
                    answer.insert("x-hubspot-ratelimit-remaining", left);
                    pace.learn(now, Lane::General, &answer);
                }
                Permit::Wait(wait) => now += wait,
                Permit::Park(until) => panic!("parked until {until}"),
            }
        }
        let share = 152.min(190 - others - 5);
        assert!(too_many == 0, "{too_many} beside {others}");
        assert!(ours * 100 >= share * 6 * 95, "{ours} beside {others}");
    }
}

#[test]
fn headers_that_make_no_sense_are_not_believed() {
    let mut pace = Pace::new(0.8, 0.5, MIDNIGHT);
    for max in ["0", "-1", "many", "99999999999999999999"] {
        pace.learn(START, Lane::General, &window(max));
    }
    pace.learn(START, Lane::General, &daily("0", "0"));
    assert_eq!(pace.general.limit, SMALLEST);
    assert_eq!(pace.permit(START, Lane::General), Permit::Go);
}

#[test]
fn a_clock_set_back_costs_one_window_at_most() {
    let mut pace = Pace::new(0.8, 0.5, MIDNIGHT);
    saturate(&mut pace, Lane::General, START, SECOND);
    match pace.permit(START - 3_600 * SECOND, Lane::General) {
        Permit::Wait(wait) => assert!(wait <= 10 * SECOND),
        other => panic!("{other:?}"),
    }
}

#[test]
fn more_in_flight_while_all_is_calm_and_fewer_after_a_lock() {
    let mut pace = Pace::new(0.8, 0.5, MIDNIGHT);
    assert_eq!(pace.width(), 3);
    for _ in 0..100 {
        pace.learn(START, Lane::General, &HeaderMap::new());
    }
    assert_eq!(pace.width(), 5);
    for expected in [4, 3, 2, 1, 1] {
        pace.locked();
        assert_eq!(pace.width(), expected);
    }
}

#[test]
fn two_runs_that_follow_closely_are_one_to_the_window() {
    for share in [0.8, 1.0] {
        let mut pace = Pace::new(share, 1.0, MIDNIGHT);
        pace.learn(START, Lane::General, &window("190"));
        let mut calls = saturate(&mut pace, Lane::General, START, 6_000);
        let then = START + 6_100;
        let kept = pace.to_keep(then);
        let mut next = Pace::new(share, 1.0, MIDNIGHT).go_on(&kept, then);
        calls.extend(saturate(&mut next, Lane::General, then, 30_000));
        let most = most_in_any_window(&calls, 10_000);
        let budget = (190.0 * share + 1e-9) as usize;
        assert!(most <= budget, "{most} of {budget}");
        assert!(
            calls.len() >= budget * 36 / 10 * 95 / 100,
            "{}",
            calls.len()
        );
    }
}

#[test]
fn a_run_goes_on_with_what_the_last_one_learned() {
    let mut pace = Pace::new(0.8, 0.5, MIDNIGHT);
    pace.learn(START, Lane::General, &daily("1000", "400"));
    pace.throttled(START, Lane::Associations, 5_000);
    pace.locked();
    let kept = pace.to_keep(START);
    let fresh = || Pace::new(0.8, 0.5, MIDNIGHT);

    let mut next = fresh().go_on(&kept, START + SECOND);
    assert_eq!(next.width(), FIRST_WIDTH - 1);
    let parked = Permit::Park(MIDNIGHT);
    assert_eq!(next.permit(START + SECOND, Lane::General), parked);

    // Another day's quota tells nothing, and neither does what a wrong clock wrote.
    let mut tomorrow = Pace::new(0.8, 0.5, MIDNIGHT + DAY).go_on(&kept, MIDNIGHT + SECOND);
    assert_eq!(
        tomorrow.permit(MIDNIGHT + SECOND, Lane::General),
        Permit::Go
    );
    let before = START - DAY;
    let mut sane = fresh().go_on(&kept, before);
    assert_eq!(sane.permit(before, Lane::Associations), Permit::Go);
    let mut held = Pace::new(0.8, 1.0, MIDNIGHT).go_on(&kept, START + SECOND);
    assert_eq!(
        held.permit(START + SECOND, Lane::Associations),
        Permit::Wait(4_000)
    );
}
