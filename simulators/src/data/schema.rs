//! The columns of the tables, spelled `Name type`: `v15` varchar(15), `c3` char(3), `n10`
//! decimal(10,0), `m14.2` decimal(14,2), `date` a datetime that may be null. A `!` marks the
//! primary key. `TimeStamp`, the rowversion, ends every table.
//!
//! Not every column of SYSPRO's is here: those that a sync reads, and enough of the others to be in
//! the way.

use super::table::Table;
use super::value::{Column, Kind};

const TABLES: &[(&str, &str)] = &[
    ("ArCustomer", AR_CUSTOMER),
    ("ArCustomerBal", AR_CUSTOMER_BAL),
    ("ArInvoice", AR_INVOICE),
    ("ArTrnDetail", AR_TRN_DETAIL),
    (
        "InvMaster",
        "StockCode v30!, Description v50, LongDesc v100, StockUom v10, ProductClass v20",
    ),
    (
        "TblArTerms",
        "TermsCode c2!, Description v50, DiscPct m5.2, DiscDays n3, InvoiceOption v1, DueDays n3, \
         InvDayOfMonth n2, InvMonths n2, InvDate date",
    ),
    ("TblCustomerClass", "Class v10!, Description v50"),
    ("SalBranch", "Branch v10!, Description v50"),
    ("SalSalesperson", "Branch v10!, Salesperson v20!, Name v50"),
];

const AR_CUSTOMER: &str = "\
    Customer v15!, Name v50, ShortName v20, CustomerType v1, MasterAccount v15, StoreNumber v20, \
    CreditStatus v1, CreditLimit n12, InvoiceCount n10, Salesperson v20, PriceCode v10, \
    CustomerClass v10, Branch v10, TermsCode c2, BalanceType v1, Area v10, TaxStatus v1, \
    TaxExemptNumber v30, SpecialInstrs v30, DateLastSale date, DateLastPay date, \
    OutstOrdVal m14.2, Telephone v20, Contact v50, AddTelephone v20, Fax v20, TelephoneExtn v5, \
    Currency c3, UserField1 v10, UserField2 m14.2, DateCustAdded date, Nationality v3, \
    HighestBalance m14.2, CustomerOnHold v1, Email v255, SoldToAddr1 v40, SoldToAddr2 v40, \
    SoldToAddr3 v40, SoldToAddr3Loc v40, SoldToAddr4 v40, SoldToAddr5 v40, SoldPostalCode v10, \
    ShipToAddr1 v40, ShipPostalCode v10, State v20, CountyZip v20, City v40, \
    CompanyTaxNumber v15";

const AR_CUSTOMER_BAL: &str = "\
    Customer v15!, YtdSales m14.2, PrevYearSales m14.2, AveragePayDays n4, NumFutureInv n6, \
    ValFutureInv m14.2, NumCurrentInv n6, ValCurrentInv m14.2, Num30daysInv n6, \
    Val30daysInv m14.2, Num60daysInv n6, Val60daysInv m14.2, Num90daysInv n6, Val90daysInv m14.2, \
    Num120daysInv n6, Val120daysInv m14.2, NumCreditsInv n6, ValCreditsInv m14.2";

const AR_INVOICE: &str = "\
    Customer v15!, Invoice v20!, DocumentType v1!, NextPaymEntry n5, InvoiceDate date, \
    SalesOrder v20, CustomerPoNumber v30, Salesperson v20, Branch v10, Area v10, TermsCode c2, \
    OrigDiscValue m14.2, InvoiceBal1 m14.2, InvoiceBal2 m14.2, InvoiceBal3 m14.2, InvoiceYear n4, \
    InvoiceMonth n2, YearInvBalZero n4, MonthInvBalZero n2, LastDelNote v20, \
    CurrencyValue m14.2, PostCurrency c3, ConvRate m12.6, MulDiv v1, TaxStatus v1, \
    TaxPortion m14.2, TaxCode c3, OrigInvRate m12.6";

const AR_TRN_DETAIL: &str = "\
    TrnYear n4!, TrnMonth n2!, Register n10!, Invoice v20!, SummaryLine n10!, DetailLine n10!, \
    InvoiceDate date, Branch v10, Salesperson v20, Customer v15, OrderType c2, StockCode v30, \
    Warehouse v10, ProductClass v20, TaxCode c3, QtyInvoiced m18.6, NetSalesValue m14.2, \
    TaxValue m14.2, CostValue m14.2, DiscValue m14.2, LineType v1, DocumentType v1, \
    SalesOrder v20, SalesOrderLine n4, CustomerPoNumber v30, PostValue m14.2, PostCurrency c3, \
    PostConvRate m12.6, PostMulDiv v1";

pub(super) fn tables() -> Vec<Table> {
    let table = |(name, columns): &(&'static str, &'static str)| Table::new(name, parse(columns));
    TABLES.iter().map(table).collect()
}

fn parse(columns: &'static str) -> Vec<Column> {
    let mut parsed: Vec<Column> = columns.split(',').map(column).collect();
    parsed.push(Column {
        name: "TimeStamp",
        kind: Kind::Stamp,
        key: false,
    });
    parsed
}

fn column(text: &'static str) -> Column {
    let (name, kind) = text.trim().split_once(' ').expect("a name and a type");
    let (kind, key) = match kind.strip_suffix('!') {
        Some(kind) => (kind, true),
        None => (kind, false),
    };
    Column {
        name,
        kind: read(kind).expect("a known type"),
        key,
    }
}

fn read(kind: &str) -> Option<Kind> {
    if kind == "date" {
        return Some(Kind::Date);
    }
    let (letter, size) = kind.split_at_checked(1)?;
    match letter {
        "v" => size.parse().ok().map(Kind::Varchar),
        "c" => size.parse().ok().map(Kind::Char),
        "n" => size.parse().ok().map(Kind::Integer),
        "m" => {
            let (precision, scale) = size.split_once('.')?;
            Some(Kind::Decimal(precision.parse().ok()?, scale.parse().ok()?))
        }
        _ => None,
    }
}
