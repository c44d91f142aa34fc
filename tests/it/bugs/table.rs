//! The bugs: what each replaces, and how soon it must be seen.

pub struct Bug {
    pub name: &'static str,
    pub shown: Shown,
    pub edits: &'static [Edit],
}

pub enum Shown {
    /// By one of the first so many seeds of the weather.
    Within(u64),
    /// By this test: the weather shows it never, where the lease keeps it out of reach, or too seldom.
    By(&'static str),
}

/// One replacement in one file.
pub struct Edit {
    pub file: &'static str,
    pub old: &'static str,
    pub new: &'static str,
}

const fn edit(file: &'static str, old: &'static str, new: &'static str) -> Edit {
    Edit { file, old, new }
}

pub const BUGS: &[Bug] = &[
    Bug {
        name: "a cursor is stored before the rows it passes",
        shown: Shown::Within(10),
        edits: &[edit(
            "src/ingest/take.rs",
            "statements.push(cursors::save(connection, &cursors));",
            "run.store.commit(vec![cursors::save(connection, &cursors)]).await?;",
        )],
    },
    Bug {
        name: "a commit does not ask whose the lease is",
        shown: Shown::Within(60),
        edits: &[edit(
            "src/store.rs",
            "(select ?3 from lease where portal = ?1 and owner = ?2)",
            "?3",
        )],
    },
    Bug {
        name: "a lost write is not waited for: SETTLE is zero",
        shown: Shown::By("journeys::overtaken::what_lands_late_is_not_the_last_word"),
        edits: &[edit(
            "src/store.rs",
            "const SETTLE: Millis = 120 * SECOND;",
            "const SETTLE: Millis = 0;",
        )],
    },
    Bug {
        name: "the portal is not held after a lost write",
        shown: Shown::Within(400),
        edits: &[edit(
            "src/send/call.rs",
            "if call.effect.is_write() && retry::is_lost_write(&fault) {",
            "if call.effect.is_write() && retry::is_lost_write(&fault) && call.attempt > 1_000 {",
        )],
    },
    Bug {
        name: "the lease is claimed although another run has it",
        shown: Shown::Within(20),
        edits: &[edit(
            "src/store.rs",
            "where lease.until <= ?4 or lease.until > ?5",
            "where ?4 <> ?5",
        )],
    },
    Bug {
        name: "an answer settles whatever revision the row has by then",
        shown: Shown::By("lease::an_answer_settles_only_the_revision_that_was_sent"),
        edits: &[edit(
            "src/store/ledger.rs",
            "           and ledger.revision = j.revision\n",
            "",
        )],
    },
    Bug {
        name: "results are read by their place in the answer",
        shown: Shown::Within(10),
        edits: &[edit(
            "src/hubspot/objects.rs",
            "    for result in results {
        if let (Some(at), Some(answer)) = (names.result(result, key_property), written(result)) {",
            "    for (at, result) in results.iter().enumerate() {
        let _ = names.result(result, key_property);
        if let Some(answer) = written(result) {",
        )],
    },
    Bug {
        name: "the errors of a 207 are not read",
        shown: Shown::Within(40),
        edits: &[edit(
            "src/hubspot/objects.rs",
            "for error in errors(&body) {\n        let named",
            "for error in errors(&body).iter().take(0) {\n        let named",
        )],
    },
    Bug {
        name: "open invoices beyond an unfinished page are believed to be gone",
        shown: Shown::Within(40),
        edits: &[
            edit(
                "src/ingest/open.rs",
                "let upto = next.as_ref().map(|(_, key)| key.as_str());",
                "let upto = None;",
            ),
            edit(
                "src/ingest/open.rs",
                "    missing.retain(|key| !found.contains(key));\n",
                "    let _ = found;\n",
            ),
        ],
    },
    Bug {
        name: "what an answer to an open poll lacks is not asked for by key",
        shown: Shown::Within(200),
        edits: &[edit(
            "src/ingest/open.rs",
            "    missing.retain(|key| !found.contains(key));\n",
            "    let _ = found;\n",
        )],
    },
    Bug {
        name: "links nobody answered for pass for made",
        shown: Shown::Within(220),
        edits: &[edit(
            "src/deliver/steps.rs",
            "                Ok(Some(())) => {
                    target.links.insert",
            "                Ok(_) => {
                    target.links.insert",
        )],
    },
    Bug {
        name: "what people merged is made again",
        shown: Shown::Within(30),
        edits: &[edit(
            "src/deliver/write/again.rs",
            "        Ok(found) => found,\n        Err(Halt::Fault(Fault::Refused",
            "        Ok(_) => None::<objects::Found>,\n        Err(Halt::Fault(Fault::Refused",
        )],
    },
    Bug {
        name: "a replay asked for during a delivery is dropped",
        shown: Shown::Within(400),
        edits: &[edit(
            "src/run.rs",
            "        let (hold, pace) = (run.sender.hold(), run.sender.pace());",
            "        statements.push(crate::platform::Statement::new(
            \"update runs set state = 'green' where connection = ?1 and state = 'asked'\",
            [self.stored.id.as_str().into()],
        ));
        let (hold, pace) = (run.sender.hold(), run.sender.pace());",
        )],
    },
    Bug {
        name: "news is judged against what was last synced",
        shown: Shown::Within(80),
        edits: &[edit(
            "src/store/ledger.rs",
            "hash = excluded.hash, mark = excluded.mark,",
            "hash = iif(fate = 'synced', hash, excluded.hash), mark = excluded.mark,",
        )],
    },
    Bug {
        name: "a blank wipes what a person wrote",
        shown: Shown::Within(20),
        edits: &[edit(
            "src/deliver/write/job.rs",
            ".filter(|(name, value)| !value.is_empty() || filled(name) || ours(name))",
            ".filter(|(name, _)| filled(name) || ours(name) || !name.is_empty())",
        )],
    },
    Bug {
        name: "customers of changed invoices are read after the commit",
        shown: Shown::Within(200),
        edits: &[
            edit(
                "src/ingest/take.rs",
                "    if feed.name == INVOICES.name {
        touch(reader, records.iter().map(|record| record.key.as_str())).await?;
    }
",
                "",
            ),
            edit(
                "src/ingest/take.rs",
                "    commit(reader, feed, &intakes, &rejected, unchanged).await?;\n",
                "    commit(reader, feed, &intakes, &rejected, unchanged).await?;
    if feed.name == INVOICES.name {
        touch(reader, intakes.iter().map(|intake| intake.key.as_str())).await?;
    }
",
            ),
        ],
    },
    Bug {
        name: "nobody looks at the calendar",
        shown: Shown::Within(20),
        edits: &[edit(
            "src/deliver/commit.rs",
            "warning.as_ref(), unit.due.look_at)",
            "warning.as_ref(), None)",
        )],
    },
    Bug {
        name: "lines that an answer lacked are archived",
        shown: Shown::Within(1500),
        edits: &[edit(
            "src/deliver/unit.rs",
            "        if !self.payload.lines_complete {
            return Vec::new();
        }
",
            "",
        )],
    },
    Bug {
        name: "lines without a key are created again after a lost answer",
        shown: Shown::By("journeys::keyless::a_create_whose_answer_is_lost_is_never_repeated"),
        edits: &[edit(
            "src/send/call.rs",
            "if call.effect == Effect::Create && retry::may_have_happened(&fault) {",
            "if call.effect == Effect::Create && retry::may_have_happened(&fault) && call.attempt > 1_000 {",
        )],
    },
    Bug {
        name: "lines without a key are created before those there are were read",
        shown: Shown::Within(30),
        edits: &[edit(
            "src/deliver/keyless.rs",
            "certain.extend(adopt(run, units, doubtful).await?);",
            "certain.extend(doubtful);",
        )],
    },
    Bug {
        name: "what was last answered for is believed of a row that was overtaken",
        shown: Shown::By(
            "journeys::changes::a_change_taken_back_after_its_answer_was_lost_is_taken_back_in_hubspot_too",
        ),
        edits: &[edit(
            "migrations/0008_overtaken.sql",
            "old.revision <> new.revision",
            "old.revision > new.revision",
        )],
    },
    Bug {
        name: "lines that an answer left out are archived at once",
        shown: Shown::By(
            "journeys::detection::paging::lines_left_out_of_an_answer_are_asked_for_again_before_they_are_archived",
        ),
        edits: &[edit(
            "src/feeds/invoices.rs",
            "if record.relined && ",
            "if record.relined && record.key.is_empty() && ",
        )],
    },
    Bug {
        name: "what may have been made unheard is told nothing when it is left out",
        shown: Shown::By(
            "journeys::left_out::an_invoice_made_unheard_hears_the_rule_that_leaves_it_out",
        ),
        edits: &[edit(
            "src/ingest/map.rs",
            "        record.unheard = known.is_some_and(Known::is_unheard);\n",
            "",
        )],
    },
];
