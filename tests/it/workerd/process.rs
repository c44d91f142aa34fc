//! Processes below ours: which there are, and how they end at once.

use std::{
    fs,
    process::{Command, Stdio},
};

/// A process, its parent and its name.
pub type Process = (u32, u32, String);

/// All that runs below `ancestor`.
pub fn below(ancestor: u32) -> Vec<Process> {
    let all = all();
    let mut family = vec![ancestor];
    let mut found: Vec<Process> = Vec::new();
    while let Some(parent) = family.pop() {
        let children = all.iter().filter(|(_, its, _)| *its == parent);
        for child in children {
            family.push(child.0);
            found.push(child.clone());
        }
    }
    found
}

/// From /proc where there is one, for small images lack `ps`.
fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return listed();
    };
    let stats = entries.flatten().filter_map(|entry| {
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // `pid (name) state parent …`; a name may hold blanks and brackets.
        let (start, rest) = stat.rsplit_once(')')?;
        let (pid, name) = start.split_once(" (")?;
        let parent = rest.split_whitespace().nth(1)?;
        Some((pid.parse().ok()?, parent.parse().ok()?, name.to_owned()))
    });
    stats.collect()
}

fn listed() -> Vec<Process> {
    let output = Command::new("ps")
        .args(["-A", "-o", "pid=,ppid=,comm="])
        .output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    let process = |line: &str| {
        let mut words = line.split_whitespace();
        let (pid, parent) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        Some((pid, parent, words.collect::<Vec<_>>().join(" ")))
    };
    text.lines().filter_map(process).collect()
}

/// `kill -9`.
pub fn kill(pid: u32) {
    // The shell's own `kill`: every machine has it. One that has gone already is fine.
    let _ = Command::new("sh")
        .args(["-c", "kill -KILL \"$0\"", &pid.to_string()])
        .stderr(Stdio::null())
        .status();
}
