//! What every company has before its first customer: terms, classes, branches, salespeople, stock.

use chrono::NaiveDate;

use super::{Distributor, Value};

/// Code, description, rule (`N` days, `D` a day of a month, `F` a fixed date), days, day, months.
const TERMS: &[(&str, &str, &str, i64, i64, i64)] = &[
    ("0", "Cash on delivery", "N", 0, 0, 0),
    ("1", "30 days", "N", 30, 0, 0),
    ("2", "60 days", "N", 60, 0, 0),
    ("15", "15th of next month", "D", 0, 15, 1),
    ("F", "Season: 30 November", "F", 0, 0, 0),
];

const CLASSES: &[(&str, &str)] = &[
    ("RET", "Retail"),
    ("WHL", "Wholesale"),
    ("OEM", "Original equipment maker"),
    ("GOV", "Public sector"),
];

pub(super) const BRANCHES: &[(&str, &str)] = &[("10", "North"), ("20", "South"), ("EU", "Europe")];

/// Branch, salesperson, name. A number means someone else in another branch.
pub(super) const SALESPEOPLE: &[(&str, &str, &str)] = &[
    ("10", "100", "Ann Whitaker"),
    ("10", "101", "Luis Ortega"),
    ("20", "100", "Priya Raman"),
    ("20", "HSE", "House account"),
    ("EU", "100", "Jörg Müller"),
];

/// Stock code, description, price in cents.
pub(super) const STOCK: &[(&str, &str, i64)] = &[
    ("A100", "Mountain bike frame 17\"", 18_950),
    ("A101", "Mountain bike frame 19\"", 19_450),
    ("A200", "Front fork, 100 mm travel", 12_800),
    ("B010", "Wheel 26 in, alloy", 5_475),
    ("B011", "Wheel 29 in, alloy", 6_290),
    ("B100", "Tyre 26 × 2.1", 1_899),
    ("B200", "Inner tube 26 in, Schrader", 349),
    ("C001", "Chain, 9 speed", 1_525),
    ("C002", "Cassette 11–34, 9 speed", 2_780),
    ("C100", "Brake pads, pair", 625),
    ("D-10/A", "Cable set & housing", 1_140),
    ("D-10/B", "Cable set & housing, braided", 1_690),
    ("E500", "Saddle, gel", 2_450),
    ("E600", "Grips, lock-on", 1_150),
    ("F900", "Workshop stand", 14_300),
    ("000000000000000000000000000451", "Bearing 6001-2RS", 215),
    ("000000000000000000000000000452", "Bearing 6002-2RS", 245),
    ("G1", "Café racer bell – brass", 890),
];

pub(super) fn fill(distributor: &mut Distributor) {
    let season = NaiveDate::from_ymd_opt(2026, 11, 30);
    for (code, description, rule, days, day, months) in TERMS {
        let fixed = if *rule == "F" { season } else { None };
        let cells = vec![
            ("TermsCode", Value::from(*code)),
            ("Description", Value::from(*description)),
            ("InvoiceOption", Value::from(*rule)),
            ("DueDays", Value::from(*days)),
            ("InvDayOfMonth", Value::from(*day)),
            ("InvMonths", Value::from(*months)),
            ("InvDate", Value::from(fixed)),
        ];
        distributor.insert("TblArTerms", cells);
    }
    for (class, description) in CLASSES {
        let cells = vec![
            ("Class", (*class).into()),
            ("Description", (*description).into()),
        ];
        distributor.insert("TblCustomerClass", cells);
    }
    for (branch, description) in BRANCHES {
        let cells = vec![
            ("Branch", (*branch).into()),
            ("Description", (*description).into()),
        ];
        distributor.insert("SalBranch", cells);
    }
    for (branch, salesperson, name) in SALESPEOPLE {
        let cells = vec![
            ("Branch", (*branch).into()),
            ("Salesperson", (*salesperson).into()),
            ("Name", (*name).into()),
        ];
        distributor.insert("SalSalesperson", cells);
    }
    for (code, description, _) in STOCK {
        let cells = vec![
            ("StockCode", (*code).into()),
            ("Description", (*description).into()),
            ("StockUom", "EA".into()),
        ];
        distributor.insert("InvMaster", cells);
    }
}
