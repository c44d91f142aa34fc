//! `$metadata`: the tables and columns this site exposes, as CSDL.

use std::fmt::Write;

use super::quirks::{DateLiteral, Quirks};
use crate::data::{Column, Distributor, Kind, Table};

pub fn document(data: &Distributor, quirks: &Quirks) -> String {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\">\
         <edmx:DataServices>\
         <Schema Namespace=\"SYSPROOData\" xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">",
    );
    let tables: Vec<&Table> = exposed(data, quirks).collect();
    for table in &tables {
        entity(&mut xml, table, quirks);
    }
    xml.push_str("<EntityContainer Name=\"Container\">");
    for table in &tables {
        let name = table.name;
        // Writing to a string cannot fail.
        let _ = write!(
            xml,
            "<EntitySet Name=\"{name}\" EntityType=\"SYSPROOData.{name}\" />"
        );
    }
    xml.push_str("</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>");
    xml
}

pub fn exposed<'a>(data: &'a Distributor, quirks: &'a Quirks) -> impl Iterator<Item = &'a Table> {
    let missing = |table: &&Table| quirks.missing_tables.iter().any(|name| name == table.name);
    data.tables().iter().filter(move |table| !missing(table))
}

fn entity(xml: &mut String, table: &Table, quirks: &Quirks) {
    let _ = write!(xml, "<EntityType Name=\"{}\"><Key>", table.name);
    let columns = table.columns().iter();
    let columns = columns.filter(|column| quirks.has(table.name, column.name));
    for column in columns.clone().filter(|column| column.key) {
        let _ = write!(xml, "<PropertyRef Name=\"{}\" />", column.name);
    }
    xml.push_str("</Key>");
    for column in columns {
        let _ = write!(
            xml,
            "<Property Name=\"{}\" {} />",
            column.name,
            typed(column, quirks.date_literal)
        );
    }
    xml.push_str("</EntityType>");
}

fn typed(column: &Column, dates: DateLiteral) -> String {
    let kind = match (column.kind, dates) {
        (Kind::Varchar(width) | Kind::Char(width), _) => {
            format!("Type=\"Edm.String\" MaxLength=\"{width}\"")
        }
        (Kind::Decimal(precision, scale), _) => {
            format!("Type=\"Edm.Decimal\" Precision=\"{precision}\" Scale=\"{scale}\"")
        }
        (Kind::Integer(precision), _) => {
            format!("Type=\"Edm.Decimal\" Precision=\"{precision}\" Scale=\"0\"")
        }
        (Kind::Date, DateLiteral::Date) => return "Type=\"Edm.Date\"".to_owned(),
        (Kind::Date, DateLiteral::V3) => return "Type=\"Edm.DateTime\"".to_owned(),
        (Kind::Date, DateLiteral::Datetimeoffset) => {
            return "Type=\"Edm.DateTimeOffset\"".to_owned();
        }
        (Kind::Stamp, _) => return "Type=\"Edm.Binary\" MaxLength=\"8\"".to_owned(),
    };
    format!("{kind} Nullable=\"false\"")
}
