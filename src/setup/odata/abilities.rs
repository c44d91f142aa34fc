//! What the server can do, proven by asking: an option that is taken without a word and without effect
//! is worth less than one that is refused.

mod words;

use chrono::NaiveDate;
use futures_util::future::join;

use super::{Asker, Check, customers};
use crate::{
    connection::DateStyle,
    fault::{Fault, Silence},
    feeds::{INVOICES, invoices},
    platform::{NoAnswer, Platform},
    send::Halt,
    syspro::{
        Row,
        odata::{self, Dialect, Filter, Literal, Op, Page, Paging, Query},
    },
};

pub const CHECKS: [&str; 4] = ["odata_dates", "odata_filter", "odata_order", "odata_paging"];

/// What became of something that was tried.
#[derive(Clone, Debug, PartialEq)]
enum Tried {
    Works,
    Refused,
    /// Rows came, but not those that were asked for.
    Ignored,
    /// No rows came where there must be some.
    Empty,
    /// It is there, and not to be used.
    Unfit(String),
    /// Nobody answered.
    Unknown(Halt),
}

/// What the two lanes found.
pub struct Abilities {
    /// Customers in ascending order, where the server orders.
    ascending: Vec<Row>,
    order: Tried,
    text_order: Tried,
    dates: Result<Option<DateStyle>, Halt>,
    eq: Tried,
    ne: Tried,
    or: Tried,
    in_list: Tried,
}

/// Ways to the next page that are tried only where the best is none.
struct Onward {
    link: Tried,
    skip: Tried,
}

impl Tried {
    fn of(answer: Result<Page, Halt>, works: impl FnOnce(&[Row]) -> bool) -> Self {
        match answer {
            Ok(page) if works(&page.rows) => Tried::Works,
            Ok(page) if page.rows.is_empty() => Tried::Empty,
            Ok(_) => Tried::Ignored,
            Err(Halt::Fault(Fault::Refused { .. })) => Tried::Refused,
            Err(halt) => Tried::Unknown(halt),
        }
    }

    fn works(&self) -> bool {
        *self == Tried::Works
    }
}

/// `some` are the customers the server gives first.
pub async fn find<P: Platform>(asker: &Asker<'_, P>, some: &[Row]) -> Abilities {
    let ordering = async {
        let (ascending, order) = order(asker).await;
        (ascending, order, dates(asker).await)
    };
    let filtering = async {
        let key = |row: &Row| row.key_text("Customer");
        let mut keys: Vec<String> = some.iter().take(2).map(key).collect();
        if keys.is_empty() {
            keys.push(" ".to_owned());
        }
        let among = |rows: &[Row]| {
            let known = rows.iter().all(|row| keys.contains(&key(row)));
            known && (some.is_empty() || !rows.is_empty())
        };
        let eq = |key: &String| Filter::compare("Customer", Op::Eq, Literal::Text(key.clone()));
        let first = eq(keys.first().unwrap_or(&String::new()));
        let one = |rows: &[Row]| among(rows) && rows.len() <= 1;
        let both = Filter::Any(keys.iter().chain(&keys).take(2).map(eq).collect());
        let behind = some
            .first()
            .and_then(|row| Literal::of(row.raw("Customer")));
        let behind = behind.unwrap_or_else(|| Literal::Text(" ".to_owned()));
        let not_it = |rows: &[Row]| {
            let first = some.first().map(key);
            rows.iter().all(|row| Some(key(row)) != first)
        };
        let gt = Filter::compare("Customer", Op::Gt, behind);
        Filtering {
            eq: Tried::of(asker.ask(&customers(Some(first), &[])).await, one),
            or: Tried::of(
                asker
                    .saying(OR)
                    .ask(&customers(Some(both.clone()), &[]))
                    .await,
                among,
            ),
            in_list: Tried::of(
                asker.saying(IN).ask(&customers(Some(both), &[])).await,
                among,
            ),
            text_order: Tried::of(asker.ask(&customers(Some(gt), &[])).await, not_it),
            ne: ne(asker).await,
        }
    };
    let ((ascending, order, dates), filtering) = join(ordering, filtering).await;
    let Filtering {
        eq,
        or,
        in_list,
        text_order,
        ne,
    } = filtering;
    Abilities {
        ascending,
        order,
        text_order,
        dates,
        eq,
        ne,
        or,
        in_list,
    }
}

struct Filtering {
    eq: Tried,
    or: Tried,
    in_list: Tried,
    text_order: Tried,
    ne: Tried,
}

const OR: fn(Dialect) -> Dialect = |it| Dialect {
    or: true,
    in_list: false,
    ..it
};
const IN: fn(Dialect) -> Dialect = |it| Dialect {
    in_list: true,
    ..it
};

impl<'a, P: Platform> Asker<'a, P> {
    /// The same, as if the server could do this.
    fn saying(&self, what: fn(Dialect) -> Dialect) -> Asker<'a, P> {
        self.with(what(self.dialect))
    }

    fn with(&self, dialect: Dialect) -> Asker<'a, P> {
        Asker {
            sender: self.sender,
            connection: self.connection,
            dialect,
        }
    }
}

/// Ascending and descending: a server that orders begins with different customers.
async fn order<P: Platform>(asker: &Asker<'_, P>) -> (Vec<Row>, Tried) {
    let ascending = asker.ask(&customers(None, &["Customer"])).await;
    let descending = asker.ask(&customers(None, &["Customer desc"])).await;
    let first = |rows: &[Row]| rows.first().map(|row| row.key_text("Customer"));
    let rows = match &ascending {
        Ok(page) => page.rows.clone(),
        Err(_) => Vec::new(),
    };
    let differ = |other: &[Row]| rows.len() < 2 || first(&rows) != first(other);
    let order = match ascending {
        Ok(_) => Tried::of(descending, differ),
        Err(halt) => Tried::of(Err(halt), |_| false),
    };
    (rows, order)
}

async fn ne<P: Platform>(asker: &Asker<'_, P>) -> Tried {
    let query = Query {
        table: INVOICES.table,
        select: vec!["InvoiceBal1".to_owned()],
        filter: Some(invoices::open_filter()),
        top: Some(1),
        ..Query::default()
    };
    let open = |rows: &[Row]| rows.iter().all(|row| invoices::open_mark(row).is_some());
    Tried::of(asker.ask(&query).await, open)
}

/// The style of the settings, then the others; nothing when none is taken.
async fn dates<P: Platform>(asker: &Asker<'_, P>) -> Result<Option<DateStyle>, Halt> {
    const STYLES: [DateStyle; 3] = [DateStyle::Datetimeoffset, DateStyle::Date, DateStyle::V3];
    let set = asker.connection.settings.date_style;
    let others = STYLES.into_iter().filter(|style| *style != set);
    for style in [set].into_iter().chain(others) {
        let long_ago = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default();
        let since = Filter::compare("InvoiceDate", Op::Ge, Literal::Date(long_ago));
        let query = Query {
            table: INVOICES.table,
            select: vec!["InvoiceDate".to_owned()],
            filter: Some(since),
            top: Some(1),
            ..Query::default()
        };
        let asker = asker.with(Dialect {
            dates: Some(style),
            ..asker.dialect
        });
        match Tried::of(asker.ask(&query).await, |_| true) {
            Tried::Unknown(halt) => return Err(halt),
            Tried::Works => return Ok(Some(style)),
            _ => {}
        }
    }
    Ok(None)
}

/// What was found, as checks and as the dialect: the latter only when everything was answered.
/// `invoices` says whether `ArInvoice` is as it must be, without which two of the answers mean nothing.
pub async fn judge<P: Platform>(
    asker: &Asker<'_, P>,
    mut found: Abilities,
    invoices: bool,
) -> (Vec<Check>, Option<Dialect>) {
    if !invoices {
        found.ne = Tried::Works;
    }
    let mut can = Dialect {
        text_order: found.text_order.works(),
        ne: found.ne.works(),
        or: found.or.works(),
        in_list: found.in_list.works(),
        order_by: found.order.works(),
        dates: found.dates.clone().ok().flatten(),
        ..asker.dialect
    };
    let onward = match can.paging() {
        Some(Paging::Key) => None,
        _ => Some(onward(&asker.with(can), &found.ascending).await),
    };
    if let Some(onward) = &onward {
        can.next_link = onward.link.works();
        can.skip = onward.skip.works();
    }
    let dates = match invoices {
        true => words::dates(asker, &found),
        false => Check::waits_for("odata_dates", "odata_ArInvoice"),
    };
    let checks = vec![
        dates,
        words::filter(can, &found),
        words::order(&found),
        words::paging(can, &found, onward.as_ref()),
    ];
    let known = invoices && checks.iter().all(|check| !check.unknown);
    (checks, known.then_some(can))
}

async fn onward<P: Platform>(asker: &Asker<'_, P>, ascending: &[Row]) -> Onward {
    let (link, skip) = join(link(asker), skip(asker, ascending)).await;
    Onward { link, skip }
}

/// The largest table, asked for whole: a server that pages by itself links to its second page, and
/// the link is tried.
async fn link<P: Platform>(asker: &Asker<'_, P>) -> Tried {
    let table = invoices::LINES_TABLE;
    let query = Query {
        table,
        select: vec!["Invoice".to_owned()],
        order_by: invoices::LINES_KEY,
        ..Query::default()
    };
    let link = match asker.ask(&query).await {
        Ok(page) => page.next_link,
        // So much in one answer is not cut into pages.
        Err(Halt::Fault(Fault::NoAnswer {
            what: Silence::Network(NoAnswer::TooLong),
            ..
        })) => None,
        Err(halt) => return Tried::of(Err(halt), |_| false),
    };
    let Some(link) = link else {
        return Tried::Empty;
    };
    match odata::follow(&asker.service(), table, &link) {
        Ok(request) => {
            let next = asker.sender.odata(request, odata::read_page).await;
            Tried::of(next, |_| true)
        }
        Err(Fault::Unreadable { shape, .. }) => Tried::Unfit(shape),
        Err(fault) => Tried::Unfit(fault.to_string()),
    }
}

async fn skip<P: Platform>(asker: &Asker<'_, P>, ascending: &[Row]) -> Tried {
    let query = Query {
        skip: Some(1),
        top: Some(1),
        ..customers(None, &["Customer"])
    };
    let second = ascending.get(1).map(|row| row.raw("Customer"));
    let is_second =
        |rows: &[Row]| second.is_none() || rows.first().map(|row| row.raw("Customer")) == second;
    Tried::of(asker.ask(&query).await, is_second)
}
