//! Reads OData's `$filter`: a column, an operator, a literal, and what joins them.

use chrono::NaiveDate;

use super::filter::{Filter, Literal, Operator, Token, assemble};
use super::quirks::{DateLiteral, Quirks};
use crate::data::{Kind, Table};

/// A filter, or what the server says about it.
pub fn read(text: &str, table: &Table, quirks: &Quirks) -> Result<Filter, String> {
    let mut reader = Reader {
        rest: text,
        table,
        quirks,
    };
    let mut tokens = Vec::new();
    while let Some(token) = reader.token()? {
        tokens.push(token);
    }
    assemble(tokens)
}

struct Reader<'a> {
    rest: &'a str,
    table: &'a Table,
    quirks: &'a Quirks,
}

impl<'a> Reader<'a> {
    fn token(&mut self) -> Result<Option<Token>, String> {
        self.rest = self.rest.trim_start();
        if self.rest.is_empty() {
            return Ok(None);
        }
        let token = if self.take("(") {
            Token::Open
        } else if self.take(")") {
            Token::Close
        } else {
            match self.word() {
                "and" => Token::And,
                "or" if self.quirks.or => Token::Or,
                "or" => return Err("The operator 'or' is not supported.".to_owned()),
                column => Token::Leaf(self.comparison(column)?),
            }
        };
        Ok(Some(token))
    }

    fn take(&mut self, sign: &str) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// All up to the next blank, bracket or comma.
    fn word(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        let ends = |letter: char| letter.is_whitespace() || matches!(letter, '(' | ')' | ',');
        let (word, rest) = self
            .rest
            .split_at(self.rest.find(ends).unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    fn comparison(&mut self, column: &str) -> Result<Filter, String> {
        let (position, kind) = find(self.table, column, self.quirks)?;
        let word = self.word();
        if word == "in" && self.quirks.in_list {
            return self.list(position, kind);
        }
        let operator =
            Operator::parse(word).filter(|_| word.bytes().all(|b| b.is_ascii_lowercase()));
        let operator = operator.ok_or_else(|| format!("Syntax error: '{word}' is no operator."))?;
        if operator == Operator::Ne && !self.quirks.ne {
            return Err("The operator 'ne' is not supported.".to_owned());
        }
        if operator.orders() && kind.is_text() && !self.quirks.text_order {
            return Err(format!(
                "A binary operator with incompatible types was detected. Found operand types \
                 'Edm.String' and 'Edm.String' for operator kind '{word}'."
            ));
        }
        let literal = self.literal(kind)?;
        Ok(Filter::Compare(position, operator, literal))
    }

    fn list(&mut self, position: usize, kind: Kind) -> Result<Filter, String> {
        self.rest = self.rest.trim_start();
        if !self.take("(") {
            return Err("Syntax error: a list was expected after 'in'.".to_owned());
        }
        let mut literals = vec![self.literal(kind)?];
        loop {
            self.rest = self.rest.trim_start();
            if self.take(")") {
                return Ok(Filter::In(position, literals));
            }
            if !self.take(",") {
                return Err("Syntax error: ',' or ')' expected.".to_owned());
            }
            literals.push(self.literal(kind)?);
        }
    }

    fn literal(&mut self, kind: Kind) -> Result<Literal, String> {
        self.rest = self.rest.trim_start();
        if self.take("'") {
            let text = self.quoted()?;
            return if kind.is_text() {
                Ok(Literal::Text(text))
            } else {
                Err(mismatch(kind, "Edm.String"))
            };
        }
        if self.take("datetime'") {
            let text = self.quoted()?;
            return self.date(kind, DateLiteral::V3, &text);
        }
        let word = self.word();
        if word == "null" {
            return Ok(Literal::Null);
        }
        if let Ok(number) = word.trim_end_matches(['M', 'm']).parse() {
            return match kind {
                Kind::Decimal(..) | Kind::Integer(_) => Ok(Literal::Number(number)),
                _ => Err(mismatch(kind, "Edm.Decimal")),
            };
        }
        let style = if word.contains('T') {
            DateLiteral::Datetimeoffset
        } else {
            DateLiteral::Date
        };
        self.date(kind, style, word)
    }

    /// What stands up to the closing quote; two quotes are one.
    fn quoted(&mut self) -> Result<String, String> {
        let mut text = String::new();
        loop {
            let Some(end) = self.rest.find('\'') else {
                return Err("There is an unterminated string literal.".to_owned());
            };
            text.push_str(&self.rest[..end]);
            self.rest = &self.rest[end + 1..];
            if !self.take("'") {
                return Ok(text);
            }
            text.push('\'');
        }
    }

    fn date(&self, kind: Kind, style: DateLiteral, text: &str) -> Result<Literal, String> {
        let date = day(style, text).ok_or_else(|| format!("Unrecognized literal '{text}'."))?;
        if kind != Kind::Date {
            return Err(mismatch(kind, "Edm.DateTimeOffset"));
        }
        if style != self.quirks.date_literal {
            let found = match style {
                DateLiteral::Datetimeoffset => "Edm.DateTimeOffset",
                DateLiteral::Date => "Edm.Date",
                DateLiteral::V3 => return Err(format!("Unrecognized literal 'datetime'{text}''.")),
            };
            return Err(mismatch(kind, found));
        }
        Ok(Literal::Date(date))
    }
}

fn day(style: DateLiteral, text: &str) -> Option<NaiveDate> {
    let (date, time) = text.split_at_checked(10)?;
    let whole = match style {
        DateLiteral::Date => time.is_empty(),
        DateLiteral::V3 => time.is_empty() || time.starts_with('T'),
        DateLiteral::Datetimeoffset => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
    };
    if whole { date.parse().ok() } else { None }
}

fn mismatch(kind: Kind, found: &str) -> String {
    let expected = match kind {
        Kind::Varchar(_) | Kind::Char(_) => "Edm.String",
        Kind::Decimal(..) | Kind::Integer(_) => "Edm.Decimal",
        Kind::Date => "a date in this service's own style",
        Kind::Stamp => "Edm.Binary",
    };
    format!("A binary operator with incompatible types was detected: {expected} and {found}.")
}

/// A column this site has; names are case-sensitive.
pub fn find(table: &Table, column: &str, quirks: &Quirks) -> Result<(usize, Kind), String> {
    let position = table
        .position(column)
        .filter(|_| quirks.has(table.name, column));
    let unknown = || {
        format!(
            "Could not find a property named '{column}' on type 'SYSPROOData.{}'.",
            table.name
        )
    };
    let position = position.ok_or_else(unknown)?;
    let kind = table.columns().get(position).map(|column| column.kind);
    Ok((position, kind.ok_or_else(unknown)?))
}
