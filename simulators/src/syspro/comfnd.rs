//! COMFND: rows of any table, asked for and answered in XML.

use std::fmt::Write;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::enet::DECLARATION;
use super::filter::{Filter, Literal, Operator, Token, assemble, compare};
use super::quirks::Quirks;
use crate::data::{Column, Distributor, Kind, Row, Table, Value};

/// What a COMFND document asks.
#[derive(Debug, Default)]
pub struct Search {
    pub table: String,
    rows: Option<usize>,
    columns: Vec<String>,
    expressions: Vec<Expression>,
    order: Vec<String>,
}

#[derive(Debug, Default)]
struct Expression {
    joined: String,
    open: usize,
    column: String,
    condition: String,
    value: String,
    close: usize,
}

/// Reads `XmlIn`. Elements it does not know are passed over, as SYSPRO's objects do.
pub fn read(xml: &str) -> Result<Search, String> {
    let mut reader = Reader::from_str(xml);
    let mut search = Search::default();
    let mut path: Vec<String> = Vec::new();
    let mut text = String::new();
    loop {
        match reader.read_event().map_err(|_| broken())? {
            Event::Start(element) => {
                path.push(String::from_utf8_lossy(element.local_name().as_ref()).into_owned());
                if path.last().is_some_and(|name| name == "Expression") {
                    search.expressions.push(Expression::default());
                }
                text.clear();
            }
            Event::Text(more) => text.push_str(&more.decode().map_err(|_| broken())?),
            Event::CData(more) => text.push_str(&more.decode().map_err(|_| broken())?),
            Event::GeneralRef(entity) => {
                let name = entity.decode().map_err(|_| broken())?;
                let escaped = format!("&{name};");
                let letter = quick_xml::escape::unescape(&escaped).map_err(|_| broken())?;
                text.push_str(&letter);
            }
            Event::End(_) => {
                let names: Vec<&str> = path.iter().map(String::as_str).collect();
                take(&mut search, &names, &text)?;
                path.pop();
                text.clear();
            }
            Event::Eof if path.is_empty() => break,
            Event::Eof => return Err(broken()),
            _ => {}
        }
    }
    Ok(search)
}

fn broken() -> String {
    "The XML string is not well formed".to_owned()
}

fn take(search: &mut Search, path: &[&str], text: &str) -> Result<(), String> {
    match path {
        ["Query", "TableName"] => search.table = text.trim().to_owned(),
        ["Query", "ReturnRows"] => {
            let rows = text.trim().parse();
            search.rows = Some(rows.map_err(|_| format!("Invalid ReturnRows '{text}'"))?);
        }
        ["Query", "Columns", "Column"] => search.columns.push(text.trim().to_owned()),
        ["Query", "OrderBy", "Column"] => search.order.push(text.trim().to_owned()),
        ["Query", "Where", "Expression", part] => {
            let Some(expression) = search.expressions.last_mut() else {
                return Ok(());
            };
            match *part {
                "AndOr" => expression.joined = text.trim().to_ascii_uppercase(),
                "OpenBracket" => expression.open = text.matches('(').count(),
                "Column" => expression.column = text.trim().to_owned(),
                "Condition" => expression.condition = text.trim().to_ascii_uppercase(),
                "Value" => expression.value = text.to_owned(),
                "CloseBracket" => expression.close = text.matches(')').count(),
                _ => {}
            }
        }
        ["Query", "Where"] if !text.trim().is_empty() => {
            return Err("The Where clause must hold Expression elements".to_owned());
        }
        _ => {}
    }
    Ok(())
}

pub fn answer(search: &Search, data: &Distributor, quirks: &Quirks) -> Result<String, String> {
    let table = data.find(&search.table);
    let table = table.ok_or_else(|| format!("Table '{}' not found", search.table))?;
    let filter = filter(search, table)?;
    let order = positions(&search.order, table)?;
    let mut columns = positions(&search.columns, table)?;
    if columns.is_empty() {
        columns = (0..table.columns().len()).collect();
    }
    let wanted = |row: &Row| {
        let filter = filter.as_ref();
        filter.is_none_or(|filter| filter.keeps(row.values, quirks.collation))
    };
    let mut rows: Vec<Row> = table.rows().filter(wanted).collect();
    rows.sort_by(|left, right| {
        let parts = order.iter().map(|column| {
            let (left, right) = (&left.values[*column], &right.values[*column]);
            compare(left, right, quirks.collation)
        });
        parts.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    rows.truncate(search.rows.unwrap_or(usize::MAX));
    Ok(document(search, table, &columns, &rows, quirks))
}

fn positions(names: &[String], table: &Table) -> Result<Vec<usize>, String> {
    names.iter().map(|name| position(name, table)).collect()
}

fn position(name: &str, table: &Table) -> Result<usize, String> {
    let position = table.position(name);
    position.ok_or_else(|| format!("Column '{name}' not found in table '{}'", table.name))
}

/// At most so many brackets stand together.
const BRACKETS: usize = 3;

fn filter(search: &Search, table: &Table) -> Result<Option<Filter>, String> {
    let mut tokens = Vec::new();
    for expression in &search.expressions {
        if expression.open > BRACKETS || expression.close > BRACKETS {
            return Err("Too many brackets in the Where clause".to_owned());
        }
        // The first expression joins nothing, whatever it says.
        if !tokens.is_empty() {
            tokens.push(match expression.joined.as_str() {
                "AND" => Token::And,
                "OR" => Token::Or,
                other => return Err(format!("Invalid AndOr '{other}'")),
            });
        }
        tokens.extend(std::iter::repeat_n(Token::Open, expression.open));
        tokens.push(Token::Leaf(leaf(expression, table)?));
        tokens.extend(std::iter::repeat_n(Token::Close, expression.close));
    }
    if tokens.is_empty() {
        return Ok(None);
    }
    assemble(tokens).map(Some)
}

fn leaf(expression: &Expression, table: &Table) -> Result<Filter, String> {
    let at = position(&expression.column, table)?;
    let kind = table.columns().get(at).map(|column| column.kind);
    let value = &expression.value;
    if expression.condition == "LIKE" {
        return Ok(Filter::Like(at, value.clone()));
    }
    let operator = Operator::parse(&expression.condition);
    let operator =
        operator.ok_or_else(|| format!("Invalid condition '{}'", expression.condition))?;
    let trimmed = value.trim();
    let literal = match kind {
        Some(Kind::Varchar(_) | Kind::Char(_)) => Some(Literal::Text(value.clone())),
        Some(Kind::Decimal(..) | Kind::Integer(_)) => trimmed.parse().ok().map(Literal::Number),
        Some(Kind::Date) if matches!(trimmed, "" | "0000-00-00") => Some(Literal::Null),
        Some(Kind::Date) => trimmed.parse().ok().map(Literal::Date),
        Some(Kind::Stamp) | None => None,
    };
    let literal =
        literal.ok_or_else(|| format!("Invalid value for column '{}'", expression.column))?;
    Ok(Filter::Compare(at, operator, literal))
}

/// The answer ends in a line feed and a blank. Writing to a string cannot fail.
fn document(
    search: &Search,
    table: &Table,
    columns: &[usize],
    rows: &[Row],
    quirks: &Quirks,
) -> String {
    let name = table.name;
    let columns: Vec<(usize, &Column)> = columns
        .iter()
        .filter_map(|at| Some((*at, table.columns().get(*at)?)))
        .collect();
    let mut xml = format!(
        "{DECLARATION}<{name} Language='05' Language2='EN' CssStyle='' DecFormat='1' \
         DateFormat='01' Role='01' Version='8.0.000' OperatorPrimaryRole='   '>\n\
         <HeaderDetails>\n<TableName>{name}</TableName>\n<Columns>\n"
    );
    for (_, column) in &columns {
        let _ = writeln!(xml, "<Column>{}</Column>", column.name);
    }
    xml.push_str("</Columns>\n");
    if !search.order.is_empty() {
        xml.push_str("<OrderBy>\n");
        for column in &search.order {
            let _ = writeln!(xml, "<Column>{column}</Column>");
        }
        xml.push_str("</OrderBy>\n");
    }
    xml.push_str("</HeaderDetails>\n");
    for row in rows {
        xml.push_str("<Row>\n");
        for (at, column) in &columns {
            let text = row
                .values
                .get(*at)
                .map(|value| shown(value, column, quirks));
            element(&mut xml, column.name, &text.unwrap_or_default());
        }
        xml.push_str("</Row>\n");
    }
    let _ = write!(
        xml,
        "<RowsReturned>{:>7}</RowsReturned>\n</{name}>\n ",
        rows.len()
    );
    xml
}

fn element(xml: &mut String, name: &str, text: &str) {
    let _ = if text.is_empty() {
        writeln!(xml, "<{name}/>")
    } else {
        writeln!(
            xml,
            "<{name}>{}</{name}>",
            quick_xml::escape::partial_escape(text)
        )
    };
}

fn shown(value: &Value, column: &Column, quirks: &Quirks) -> String {
    match (value, column.kind) {
        (Value::Text(text), _) => {
            let text = text.trim_end();
            let key = matches!(column.name, "Customer" | "Invoice");
            if quirks.presented_keys && key && text.bytes().all(|byte| byte.is_ascii_digit()) {
                format!("{:0>7}", text.trim_start_matches('0'))
            } else {
                text.to_owned()
            }
        }
        (Value::Decimal(number), Kind::Decimal(width, _)) => format!("{number:>width$}"),
        (Value::Integer(number), Kind::Integer(width)) => format!("{number:>width$}"),
        (Value::Decimal(number), _) => number.to_string(),
        (Value::Integer(number), _) => number.to_string(),
        (Value::Date(date), _) => date.to_string(),
        (Value::Null, _) => "0000-00-00".to_owned(),
        (Value::Stamp(stamp), _) => format!("{stamp:016X}"),
    }
}
