//! The house's rules, held by reading the source: one row a rule, each with what would break it.

mod source;

use self::source::Source;

struct Rule {
    name: &'static str,
    /// Everything in one file that breaks it.
    breaches: fn(&Source) -> Vec<String>,
    /// A file that breaks it, and one that does not.
    bad: (&'static str, &'static str),
    good: (&'static str, &'static str),
}

fn rules() -> [Rule; 9] {
    [
        Rule {
            name: "`worker::` only in edge.rs: nothing else would be testable natively",
            breaches: |file| tokens(file, &["worker::"], &["edge"]),
            bad: ("src/run.rs", "use worker::Env;"),
            good: ("src/edge.rs", "use worker::Env;"),
        },
        Rule {
            name: "`.await` never in the leaves: they stay pure",
            breaches: |file| match is_leaf(file) {
                true => tokens(file, &[".await", "async fn", "async move"], &[]),
                false => Vec::new(),
            },
            bad: ("src/feeds/customers.rs", "fn a() { b().await }"),
            good: ("src/syspro/session.rs", "fn a() { b().await }"),
        },
        Rule {
            name: "SQL only under store: one place to read, run, migrate",
            breaches: |file| match file.module()[0] {
                "store" => Vec::new(),
                _ => file
                    .strings
                    .iter()
                    .filter(|text| is_sql(text))
                    .cloned()
                    .collect(),
            },
            bad: ("src/run.rs", "const A: &str = \"select a\\nfrom b\";"),
            good: (
                "src/run.rs",
                "const A: &str = \"Select the feeds you want.\";",
            ),
        },
        Rule {
            name: "fetch and sleep are called only in send.rs: one place waits and asks",
            breaches: |file| tokens(file, &["fetch(", "sleep("], &["edge", "platform", "send"]),
            bad: (
                "src/deliver/steps.rs",
                "async fn a(p: &P) { p.sleep(b).await }",
            ),
            good: (
                "src/deliver/steps.rs",
                "fn a() { prefetch(b) } // never fetch(b)",
            ),
        },
        Rule {
            name: "`impl Drop` nowhere: a Worker may die at any await without it",
            breaches: |file| tokens(file, &["Drop for"], &[]),
            bad: ("src/store.rs", "impl Drop for Lease {}"),
            good: ("src/store.rs", "fn a() { drop(lease) }"),
        },
        Rule {
            name: "imports go downwards",
            breaches: imports_upwards,
            bad: (
                "src/syspro/odata.rs",
                "use crate::{fault::Fault, hubspot::{Kind, Api}};",
            ),
            good: (
                "src/feeds.rs",
                "use crate::{hubspot::Kind, syspro::Row}; use super::syspro;",
            ),
        },
        Rule {
            name: "at most 350 lines a file, tests and blank lines apart",
            breaches: |file| {
                let lines = file.text.lines().zip(file.code.lines());
                // A comment is blank in the code, a cut test as well: count what either still shows.
                let count = lines
                    .filter(|(text, code)| !code.trim().is_empty() || is_comment(text))
                    .count();
                Vec::from_iter((count > 350).then(|| format!("{count} lines")))
            },
            bad: ("src/run.rs", "fn a() {}\n".repeat(351).leak()),
            good: ("src/run.rs", "//! Short.\n"),
        },
        Rule {
            name: "a file begins by saying why it is there",
            breaches: |file| match file.text.starts_with("//! ") {
                true => Vec::new(),
                false => vec!["no `//!` at the top".into()],
            },
            bad: ("src/run.rs", "use crate::fault;\n//! Late."),
            good: ("src/run.rs", "//! Why."),
        },
        Rule {
            name: PANICS,
            breaches: panics,
            bad: ("src/run.rs", "fn a(b: &[u8]) -> u8 { b[0] }"),
            good: (
                "src/run.rs",
                "// cannot fail: it is constant\nfn a() { b.expect(c) }\n#[cfg(test)]\nfn d() { e.unwrap() }",
            ),
        },
    ]
}

const PANICS: &str = "nothing that can panic on outside data, or `// cannot fail: why` beside it";

#[test]
fn the_house_stands() {
    let files = Source::below("src");
    assert!(files.len() > 5, "where is src?");
    let mut breaches = Vec::new();
    for file in files.iter().filter(|file| !file.is_tests()) {
        for rule in rules() {
            let found = (rule.breaches)(file).into_iter();
            breaches.extend(found.map(|what| format!("{}: {what}\n    {}", file.path, rule.name)));
        }
    }
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn every_rule_can_be_broken() {
    for rule in rules() {
        let breaches = |(path, text)| (rule.breaches)(&Source::new(path, text));
        assert_ne!(breaches(rule.bad), Vec::<String>::new(), "{}", rule.name);
        assert_eq!(breaches(rule.good), Vec::<String>::new(), "{}", rule.name);
    }
}

/// Lines with one of these words in code, unless the module may.
fn tokens(file: &Source, words: &[&str], allowed: &[&str]) -> Vec<String> {
    if allowed.contains(&file.module()[0]) {
        return Vec::new();
    }
    let has = |line: &str, word: &str| {
        line.match_indices(word).any(|(at, _)| {
            let inside = line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            !inside || word.starts_with('.')
        })
    };
    let lines = file.lines();
    lines
        .filter(|(_, line)| words.iter().any(|word| has(line, word)))
        .map(|(number, line)| format!("line {number}: {}", line.trim()))
        .collect()
}

fn is_leaf(file: &Source) -> bool {
    const LEAVES: [&str; 9] = [
        "feeds",
        "hubspot",
        "syspro",
        "retry",
        "pace",
        "fault",
        "config",
        "connection",
        "origin",
    ];
    let module = file.module();
    LEAVES.contains(&module[0]) && module != ["syspro", "session"]
}

/// Ours is in lower case; a sentence for people begins with a capital.
fn is_sql(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let has = |word| words.contains(&word);
    match words.first() {
        Some(&"select") => words.len() > 1,
        Some(&"insert") => has("into"),
        Some(&"delete") => has("from"),
        Some(&"update") => has("set"),
        Some(&"with") => has("as"),
        Some(&"create" | &"alter" | &"drop") => has("table") || has("index"),
        _ => false,
    }
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// From the ground up. A module imports from lower floors only; neighbours on one floor do not
/// know each other.
const FLOORS: [&[&str]; 18] = [
    &["platform"],
    &["day", "fault", "sorted", "hash", "origin", "typed", "vault"],
    &["config", "books", "retry", "pace"],
    &["connection"],
    &["syspro", "hubspot"],
    &["feeds"],
    &["store"],
    &["credentials", "replay", "send"],
    &["context"],
    &["crm"],
    &["ingest", "deliver", "setup"],
    &["deals"],
    &["sync", "reconcile"],
    &["preview"],
    &["run"],
    &["tick"],
    &["routes"],
    &["edge"],
];

/// Downwards, and still not to be.
const NEVER: [(&str, &str); 5] = [
    ("ingest", "hubspot"),
    ("deliver", "syspro"),
    ("store", "syspro"),
    ("hubspot", "vault"),
    ("feeds", "vault"),
];

fn imports_upwards(file: &Source) -> Vec<String> {
    let own = file.module()[0];
    let floor = |module: &str| FLOORS.iter().position(|floor| floor.contains(&module));
    if own == "lib" {
        return Vec::new();
    }
    let Some(height) = floor(own) else {
        return vec![format!("`{own}` has no floor yet: give it one in FLOORS")];
    };
    let imports = imported(file).into_iter().filter(|module| module != own);
    imports
        .filter(|module| {
            let below = floor(module).is_some_and(|other| other < height);
            !below || NEVER.contains(&(own, module))
        })
        .map(|module| format!("`{own}` imports `{module}`"))
        .collect()
}

/// The modules of the crate this file speaks of, by `crate::` or by enough `super::`.
fn imported(file: &Source) -> Vec<String> {
    let code: String = file.code.split_whitespace().collect::<Vec<_>>().join(" ");
    let to_root = "super::".repeat(file.module().len());
    let mut found = Vec::new();
    for root in ["crate::", &to_root] {
        for (at, _) in code.match_indices(root) {
            let inside =
                code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            if !inside {
                found.extend(first_names(&code[at + root.len()..]));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// `a::b` gives `a`; `{a::{b, c}, d}` gives `a` and `d`.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| {
        let text = text.trim_start().chars();
        text.take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let Some(group) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let (mut depth, mut names) = (0, vec![name(group)]);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn panics(file: &Source) -> Vec<String> {
    const WORDS: [&str; 4] = [".unwrap()", ".expect(", "panic!(", "unreachable!("];
    let text: Vec<&str> = file.text.lines().collect();
    // The reason stands at the end of the line or in the comment above the statement.
    let excused = |number: usize| {
        let above = text[..number].iter().rev();
        let mut above = above.take(6).take_while(|line| !line.trim().is_empty());
        above.any(|line| line.contains("// cannot fail: "))
    };
    let lines = file
        .lines()
        .filter(|(_, line)| WORDS.iter().any(|word| line.contains(word)) || indexes(line));
    lines
        .filter(|(number, _)| !excused(*number))
        .map(|(number, line)| format!("line {number}: {}", line.trim()))
        .collect()
}

/// `a[`, `b()[`, `c[0][`: an index or a slice. Not the whole (`[..]`), and not a JSON field by its
/// name, which is null where there is none.
fn indexes(line: &str) -> bool {
    line.match_indices('[').any(|(at, _)| {
        let indexed = line[..at].ends_with(|c: char| c.is_alphanumeric() || "_)]".contains(c));
        indexed
            && !["[..]", "[\""]
                .iter()
                .any(|safe| line[at..].starts_with(safe))
    })
}
