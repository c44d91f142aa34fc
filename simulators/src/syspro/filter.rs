//! Which rows a query wants: comparisons joined by `and` and `or`, as SQL Server judges them.
//!
//! OData's `$filter` and COMFND's `Where` both end here. A null is never equal, unequal, above or
//! below anything but where `null` itself is asked for.

use std::cmp::Ordering;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::quirks::Collation;
use crate::data::{Value, collation};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Operator {
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            "lt" => Self::Lt,
            "le" => Self::Le,
            _ => return None,
        })
    }

    pub fn orders(self) -> bool {
        !matches!(self, Self::Eq | Self::Ne)
    }

    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Eq => ordering.is_eq(),
            Self::Ne => ordering.is_ne(),
            Self::Gt => ordering.is_gt(),
            Self::Ge => ordering.is_ge(),
            Self::Lt => ordering.is_lt(),
            Self::Le => ordering.is_le(),
        }
    }
}

/// What a column is compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Text(String),
    Number(Decimal),
    Date(NaiveDate),
    Null,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// The column's position, how, and with what.
    Compare(usize, Operator, Literal),
    In(usize, Vec<Literal>),
    /// `*` any run of letters, `?` any one.
    Like(usize, String),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
}

impl Filter {
    pub fn keeps(&self, row: &[Value], by: Collation) -> bool {
        match self {
            Self::Compare(column, operator, literal) => {
                judge(row.get(*column), *operator, literal, by)
            }
            Self::In(column, literals) => {
                let cell = row.get(*column);
                let mut literals = literals.iter();
                literals.any(|literal| judge(cell, Operator::Eq, literal, by))
            }
            Self::Like(column, pattern) => match row.get(*column) {
                Some(Value::Text(text)) => like(text.trim_end(), pattern.trim_end()),
                _ => false,
            },
            Self::And(left, right) => left.keeps(row, by) && right.keeps(row, by),
            Self::Or(left, right) => left.keeps(row, by) || right.keeps(row, by),
        }
    }

    /// The lowest value of this column that a kept row can have, where the filter sets one: where
    /// to start in the primary index.
    pub fn lowest(&self, column: usize) -> Option<Value> {
        match self {
            Self::Compare(of, operator, literal) if *of == column => match (operator, literal) {
                (Operator::Eq | Operator::Gt | Operator::Ge, Literal::Text(text)) => {
                    // Capitals come first among keys that differ in case only.
                    let plain = text.is_ascii();
                    plain.then(|| Value::Text(text.to_ascii_uppercase()))
                }
                (Operator::Eq | Operator::Gt | Operator::Ge, Literal::Number(number)) => {
                    number.trunc().try_into().ok().map(Value::Integer)
                }
                _ => None,
            },
            Self::And(left, right) => match (left.lowest(column), right.lowest(column)) {
                (Some(left), Some(right)) => Some(if below(&left, &right) { right } else { left }),
                (left, right) => left.or(right),
            },
            Self::Or(left, right) => {
                let (left, right) = (left.lowest(column)?, right.lowest(column)?);
                Some(if below(&left, &right) { left } else { right })
            }
            _ => None,
        }
    }
}

fn below(left: &Value, right: &Value) -> bool {
    compare(left, right, Collation::CaseInsensitive).is_lt()
}

fn judge(cell: Option<&Value>, operator: Operator, literal: &Literal, by: Collation) -> bool {
    let ordering = match (cell, literal) {
        (Some(Value::Null) | None, Literal::Null) => return operator == Operator::Eq,
        (Some(_), Literal::Null) => return operator == Operator::Ne,
        (Some(Value::Text(cell)), Literal::Text(text)) => text_order(cell, text, by),
        (Some(Value::Decimal(cell)), Literal::Number(number)) => cell.cmp(number),
        (Some(Value::Integer(cell)), Literal::Number(number)) => Decimal::from(*cell).cmp(number),
        (Some(Value::Date(cell)), Literal::Date(date)) => cell.cmp(date),
        _ => return false,
    };
    operator.holds(ordering)
}

/// How two cells of one column are ordered; nulls first.
pub fn compare(left: &Value, right: &Value, by: Collation) -> Ordering {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => text_order(left, right, by),
        (Value::Decimal(left), Value::Decimal(right)) => left.cmp(right),
        (Value::Integer(left), Value::Integer(right)) => left.cmp(right),
        (Value::Date(left), Value::Date(right)) => left.cmp(right),
        (Value::Stamp(left), Value::Stamp(right)) => left.cmp(right),
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

fn text_order(left: &str, right: &str, by: Collation) -> Ordering {
    match by {
        Collation::CaseInsensitive => collation::folded(left, right),
        Collation::Binary => collation::binary(left, right),
        Collation::Exact => left.cmp(right),
    }
}

fn like(text: &str, pattern: &str) -> bool {
    let mut pattern_letters = pattern.chars();
    let Some(wanted) = pattern_letters.next() else {
        return text.is_empty();
    };
    let rest = pattern_letters.as_str();
    if wanted == '*' {
        let mut ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        return ends.any(|at| like(&text[at..], rest));
    }
    let mut letters = text.chars();
    match letters.next() {
        Some(letter) if wanted == '?' || letter.to_lowercase().eq(wanted.to_lowercase()) => {
            like(letters.as_str(), rest)
        }
        _ => false,
    }
}

/// A filter in pieces, as either language spells it.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    Open,
    Close,
    And,
    Or,
    Leaf(Filter),
}

/// Deeper nesting is refused rather than recursed into.
const DEEPEST: usize = 64;

/// Puts the pieces together; `and` binds closer than `or`.
pub fn assemble(tokens: Vec<Token>) -> Result<Filter, String> {
    let mut rest = tokens.into_iter().peekable();
    let filter = either(&mut rest, 0)?;
    match rest.next() {
        None => Ok(filter),
        Some(token) => Err(format!("Syntax error: {token:?} was not expected.")),
    }
}

type Pieces = std::iter::Peekable<std::vec::IntoIter<Token>>;

fn either(rest: &mut Pieces, depth: usize) -> Result<Filter, String> {
    let mut left = both(rest, depth)?;
    while rest.next_if_eq(&Token::Or).is_some() {
        left = Filter::Or(Box::new(left), Box::new(both(rest, depth)?));
    }
    Ok(left)
}

fn both(rest: &mut Pieces, depth: usize) -> Result<Filter, String> {
    let mut left = single(rest, depth)?;
    while rest.next_if_eq(&Token::And).is_some() {
        left = Filter::And(Box::new(left), Box::new(single(rest, depth)?));
    }
    Ok(left)
}

fn single(rest: &mut Pieces, depth: usize) -> Result<Filter, String> {
    match rest.next() {
        Some(Token::Leaf(filter)) => Ok(filter),
        Some(Token::Open) if depth < DEEPEST => {
            let filter = either(rest, depth + 1)?;
            match rest.next() {
                Some(Token::Close) => Ok(filter),
                _ => Err("Syntax error: ')' expected.".to_owned()),
            }
        }
        Some(Token::Open) => Err("The recursion limit has been exceeded.".to_owned()),
        _ => Err("Syntax error: an expression was expected.".to_owned()),
    }
}
