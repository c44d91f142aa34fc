//! Rust source as the rules read it: code, strings and comments apart, tests cut away.

use std::{fs, path::Path};

/// One file, or a negative example pretending to be one.
pub struct Source {
    /// From the repository's root, with slashes.
    pub path: String,
    pub text: String,
    /// The text without comments, contents of strings, and test modules, line by line as it was.
    pub code: String,
    /// What stood in string literals outside tests.
    pub strings: Vec<String>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Source {
        let (mut code, spans) = strip(text);
        cut_tests(&mut code);
        let code: String = code.into_iter().collect();
        let kept: Vec<char> = code.chars().collect();
        let strings = spans
            .into_iter()
            .filter(|(at, _)| kept[*at] == '"')
            .map(|(_, string)| string)
            .collect();
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            strings,
        }
    }

    /// Every Rust file below a folder of the repository.
    pub fn below(folder: &str) -> Vec<Source> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut found = Vec::new();
        let mut folders = vec![root.join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a readable folder") {
                let path = entry.expect("a readable folder").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|ending| ending == "rs") {
                    let name = path.strip_prefix(root).expect("below the root");
                    let text = fs::read_to_string(&path).expect("a readable file");
                    found.push(Source::new(
                        &name.to_string_lossy().replace('\\', "/"),
                        &text,
                    ));
                }
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }

    /// `src/foo/bar.rs` is `["foo", "bar"]`.
    pub fn module(&self) -> Vec<&str> {
        let path = self.path.strip_prefix("src/").unwrap_or(&self.path);
        path.trim_end_matches(".rs").split('/').collect()
    }

    /// A whole file of tests.
    pub fn is_tests(&self) -> bool {
        self.module().contains(&"tests")
    }

    /// Lines of code with their number, counted from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line))
    }
}

/// Blanks comments and the contents of strings; the strings come with where their quote is.
fn strip(text: &str) -> (Vec<char>, Vec<(usize, String)>) {
    let chars: Vec<char> = text.chars().collect();
    let mut code = chars.clone();
    let mut strings = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let (end, keeps_ends) = match (chars[at], chars.get(at + 1)) {
            ('/', Some('/')) => (find(&chars, at, "\n"), 0),
            ('/', Some('*')) => (find(&chars, at + 2, "*/") + 2, 0),
            ('r', Some('"' | '#')) if is_raw(&chars, at) => {
                let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
                let close = format!("\"{}", "#".repeat(hashes));
                at += 1 + hashes;
                (find(&chars, at + 1, &close) + 1, 1)
            }
            ('"', _) => (end_of_string(&chars, at), 1),
            ('\'', Some('\\')) => (find(&chars, at + 3, "'") + 1, 1),
            ('\'', Some(_)) if chars.get(at + 2) == Some(&'\'') => (at + 3, 1),
            _ => {
                at += 1;
                continue;
            }
        };
        let end = end.min(chars.len());
        if chars[at] == '"' {
            strings.push((at, chars[at + 1..end - 1].iter().collect()));
        }
        blank(&mut code[at + keeps_ends..end - keeps_ends]);
        at = end;
    }
    (code, strings)
}

fn is_raw(chars: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| chars[before]);
    let inside_a_word = before.is_some_and(|c| c.is_alphanumeric() && c != 'b' || c == '_');
    let after = chars[at + 1..].iter().find(|c| **c != '#');
    !inside_a_word && after == Some(&'"')
}

fn end_of_string(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn find(chars: &[char], from: usize, what: &str) -> usize {
    let what: Vec<char> = what.chars().collect();
    let from = from.min(chars.len());
    let found = chars[from..]
        .windows(what.len())
        .position(|window| window == what);
    found.map_or(chars.len(), |found| from + found)
}

fn blank(chars: &mut [char]) {
    chars
        .iter_mut()
        .filter(|c| **c != '\n')
        .for_each(|c| *c = ' ');
}

/// Blanks every item marked `#[cfg(test)]`, to its closing brace or semicolon.
fn cut_tests(code: &mut [char]) {
    let mut from = 0;
    loop {
        let start = find(code, from, "#[cfg(test)]");
        if start == code.len() {
            return;
        }
        let mut depth = 0;
        let body = code[start..].iter().position(|c| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            depth == 0 && matches!(c, '}' | ';')
        });
        from = body.map_or(code.len(), |end| start + end + 1);
        blank(&mut code[start..from]);
    }
}

#[test]
fn source_is_taken_apart() {
    let text = r###"//! Doc "quoted".
fn a() { let s = "text \" // more"; } /* x */
fn b<'a>(c: char) -> &'a str { if c == '"' || c == '\'' { r#"raw "x""# } else { "z" } }
#[cfg(test)]
mod tests { fn c() { "gone"; } }
fn d() {}
"###;
    let source = Source::new("src/foo/bar.rs", text);
    assert_eq!(source.strings, ["text \\\" // more", "raw \"x\"", "z"]);
    assert_eq!(source.module(), ["foo", "bar"]);
    let lines: Vec<String> = source
        .lines()
        .map(|(_, line)| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let b = "fn b<'a>(c: char) -> &'a str { if c == ' ' || c == ' ' { r#\" \"# } else { \" \" } }";
    assert_eq!(
        lines,
        ["", "fn a() { let s = \" \"; }", b, "", "", "fn d() {}"]
    );
}
