//! The stand-in has D1's habits, or every other test lies.

use serde_json::json;

use super::*;

const TABLE: &str = "create table t(id integer primary key, name text, n real) strict";

fn d1() -> D1 {
    let mut d1 = D1::empty();
    run(&mut d1, TABLE, []).expect("a table");
    d1
}

fn run<const N: usize>(
    d1: &mut D1,
    sql: &'static str,
    args: [Arg; N],
) -> Result<Vec<Value>, StoreError> {
    d1.batch(&[Statement::new(sql, args)])
        .map(|mut rows| rows.remove(0))
}

fn refusal(result: Result<Vec<Value>, StoreError>) -> String {
    match result {
        Err(StoreError::Refused(message)) => message,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_bound_number_is_a_real() {
    let mut d1 = d1();
    let rows = run(&mut d1, "select ?1 || '' as text, ?1 as number", [7.into()]);
    assert_eq!(rows, Ok(vec![json!({"text": "7.0", "number": 7})]));
    run(&mut d1, "insert into t(id, n) values (?1, 2)", [1.into()]).expect("coerced");
    assert_eq!(
        d1.rows("select id, typeof(id) as kind, n from t"),
        [json!({"id": 1, "kind": "integer", "n": 2})]
    );
}

#[test]
fn nulls_and_fractions_come_back_as_they_are() {
    let mut d1 = d1();
    let rows = run(&mut d1, "select ?1 as a, 0.5 as b, 'x' as c", [Arg::Null]);
    assert_eq!(rows, Ok(vec![json!({"a": null, "b": 0.5, "c": "x"})]));
}

#[test]
#[should_panic(expected = "loses digits")]
fn a_number_beyond_two_to_the_53_is_a_bug() {
    let _ = run(&mut d1(), "select ?1 as n", [((1 << 53) + 1).into()]);
}

#[test]
fn a_failing_statement_undoes_the_batch() {
    let mut d1 = d1();
    let insert = || Statement::new("insert into t(id) values (?1)", [1.into()]);
    let refused = d1.batch(&[insert(), insert()]);
    assert!(matches!(refused, Err(StoreError::Refused(_))));
    assert_eq!(d1.rows("select * from t"), Vec::<Value>::new());
    assert_eq!(d1.batch(&[insert()]), Ok(vec![vec![]]));
    assert_eq!(d1.refusals().len(), 1);
}

#[test]
fn a_lost_lease_is_told_apart() {
    let mut d1 = D1::empty();
    let table = "create table lease(connection text primary key, owner text, until integer not null) strict";
    run(&mut d1, table, []).expect("a table");
    let claim = "insert into lease(connection, owner, until) values ('c', ?1, ?2)
        on conflict(connection) do update
        set until = case when owner = excluded.owner then excluded.until end";
    let mut claim = |owner: &str, until: i64| run(&mut d1, claim, [owner.into(), until.into()]);
    assert_eq!(claim("a", 1), Ok(vec![]));
    assert_eq!(claim("a", 2), Ok(vec![]));
    assert_eq!(claim("b", 3), Err(StoreError::Overtaken));
}

#[test]
fn too_much_is_refused() {
    let mut d1 = d1();
    let arg = "select ?1 as a";
    assert!(run(&mut d1, arg, ["x".repeat(1_999_900).into()]).is_ok());
    let too_big = refusal(run(&mut d1, arg, ["x".repeat(2_000_001).into()]));
    assert!(too_big.contains("too big"), "{too_big}");
    let many = refusal(run(&mut d1, "select ?101 as a", []));
    assert!(many.contains("variable number"), "{many}");
    for sql in ["begin", "PRAGMA user_version", "create temp table x(a)"] {
        assert!(refusal(run(&mut d1, sql, [])).contains("not authorized"));
    }
    let two = refusal(run(&mut d1, "delete from t; delete from t", []));
    assert!(two.contains("Multiple statements"), "{two}");
    let unbound = refusal(run(&mut d1, "select ?1, ?2", ["x".into()]));
    assert!(unbound.contains("Wrong number of parameters"), "{unbound}");
}

#[test]
fn foreign_keys_are_on() {
    let mut d1 = d1();
    let table = "create table child(t integer references t(id)) strict";
    run(&mut d1, table, []).expect("a table");
    let orphan = refusal(run(&mut d1, "insert into child(t) values (9)", []));
    assert!(orphan.contains("FOREIGN KEY"), "{orphan}");
}

#[test]
fn costs_are_kept_by_text() {
    let mut d1 = d1();
    let each = "select value from json_each(?1)";
    run(&mut d1, each, ["[1,2,3]".into()]).expect("rows");
    run(&mut d1, each, ["[1]".into()]).expect("rows");
    let cost = d1.costs()[each];
    assert_eq!((cost.runs, cost.rows), (2, 3));
    assert!((10..60).contains(&cost.steps), "{cost:?}");
}

#[test]
#[should_panic(expected = "10 allowed")]
fn a_statement_past_the_bound_of_steps_fails_the_test() {
    let mut d1 = d1();
    d1.step_bound = 10;
    let _ = run(&mut d1, "select value from json_each('[1,2,3,4,5,6]')", []);
}
