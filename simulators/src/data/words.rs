//! Names of people, places and firms, so that the data reads like somebody's.

pub(super) const FIRST: &[&str] = &[
    "Ann", "Luis", "Priya", "Jörg", "Chloé", "Marta", "Tom", "Wei", "Sofia", "Björn", "Grace",
    "Omar", "Ivy", "Noël", "Hannah", "Pedro", "Zoë", "Karl", "Maeve", "Ravi",
];

pub(super) const LAST: &[&str] = &[
    "Whitaker",
    "Ortega",
    "Raman",
    "Müller",
    "Lefèvre",
    "Novak",
    "Byrne",
    "Chen",
    "Rossi",
    "Lindström",
    "Okafor",
    "Haddad",
    "Turner",
    "O'Brien",
    "Schäfer",
    "Peña",
    "Walsh",
    "Krüger",
    "Duffy",
    "Patel",
];

pub(super) const FIRM: &[&str] = &[
    "Bayside",
    "Northgate",
    "Summit",
    "Riverbend",
    "Harbour",
    "Prairie",
    "Highland",
    "Lakeshore",
    "Old Town",
    "Café",
    "Sierra",
    "Granite",
    "Copper Hill",
    "Müller",
    "Ångström",
    "Élan",
    "St. John’s",
    "“Quality”",
    "Pound £",
    "Fjällräven Road",
];

pub(super) const TRADE: &[&str] = &[
    "Bikes",
    "Cycles",
    "Outdoor",
    "Sports & Leisure",
    "Wheel Works",
    "Supply Co",
    "Parts Ltd",
    "Trading",
    "Racing",
    "Rentals",
    "Components Inc",
    "Hire & Repair",
    "Wholesale",
    "GmbH",
];

/// City, state, postal code, country.
pub(super) const PLACE: &[(&str, &str, &str, &str)] = &[
    ("Portland", "OR", "97201", "USA"),
    ("Boulder", "CO", "80301", "USA"),
    ("Madison", "WI", "53703", "USA"),
    ("San José", "CA", "95112", "USA"),
    ("Burlington", "VT", "05401", "USA"),
    ("Austin", "TX", "78701", "USA"),
    ("Duluth", "MN", "55802", "USA"),
    ("Asheville", "NC", "28801", "USA"),
];

pub(super) const PLACE_EU: &[(&str, &str, &str, &str)] = &[
    ("München", "BY", "80331", "DEU"),
    ("Besançon", "", "25000", "FRA"),
    ("Århus", "", "8000", "DNK"),
    ("Cork", "", "T12 X70A", "IRL"),
];

pub(super) const STREET: &[&str] = &[
    "Mill Road",
    "Station Street",
    "Harbour Way",
    "Industrial Park",
    "High Street",
    "Quay 4",
    "Rue de l’Église",
    "Ringstraße",
    "Depot Lane",
    "2nd Avenue",
];

/// Customer keys that are awkward on the way: quotes, slashes, per cent, letters beyond ASCII, and
/// a number kept as text beside the padded one.
pub(super) const AWKWARD_KEYS: &[&str] = &[
    "O'NEIL",
    "A/B 10",
    "50%OFF",
    "MÜLLER",
    "R&D<1>",
    "001            ",
];
