//! Taking our key from the record that a customer's company or contact was before: two cannot have it.
//! Where a person chose another, the links that we made go with it.

use super::{find::Unread, marker, unlink::unlink};
use crate::{
    context::Run,
    deliver::{
        batch::Blocked,
        steps::update,
        unit::{Unit, at},
        write::lacking,
    },
    fault::{Fault, Refusal},
    hubspot::{
        Kind,
        objects::{self, Answer, Write},
        refusal,
    },
    pace::Lane,
    platform::Platform,
    send::{Effect, Halt},
    sorted::SortedMap,
    store::targets::Target,
};

/// Everything else of the record stays as it is. It is written only while it still has the key: since
/// then a person may have given it to another customer.
pub async fn release<P: Platform>(
    run: &Run<'_, P>,
    units: &mut [Unit],
    kind: Kind,
) -> Result<(), Unread> {
    let open = units.iter().enumerate().filter(|(_, unit)| unit.is_open());
    let due: Vec<(usize, Target, String)> = open
        .flat_map(|(at, unit)| {
            let targets = lacking(unit, kind).into_iter();
            let targets = targets.map(|(_, object)| unit.target(object));
            targets.filter_map(move |target| {
                let former = target.former.clone()?;
                Some((at, target, former))
            })
        })
        .collect();
    for (place, mut target, former) in due {
        let unit = at(units, place);
        let mut taken = Ok(None);
        for former in former.split(',') {
            if let Ok(None) = taken {
                taken = take_key(run, kind, &target, former).await;
            }
        }
        match taken {
            Ok(None) => {
                let former = target.former.take().unwrap_or_default();
                unlink(run, unit, &target, &former).await?;
                unit.keep(target);
            }
            Ok(Some(refusal)) => unit.fail(refusal::reason(&refusal, kind)),
            Err(Halt::Fault(Fault::Refused { refusal, .. })) => {
                unit.fail(refusal::reason(&refusal, kind));
            }
            Err(halt @ Halt::Fault(Fault::Forbidden { .. })) => {
                return Err(Unread::Blocked(Blocked::Halt(halt)));
            }
            Err(halt) => return Err(Unread::Halt(halt)),
        }
    }
    Ok(())
}

/// The refusal, where there is one.
async fn take_key<P: Platform>(
    run: &Run<'_, P>,
    kind: Kind,
    target: &Target,
    former: &str,
) -> Result<Option<Refusal>, Halt> {
    let key = run.key_property();
    let request = objects::get(&run.api(), kind, former, &key);
    let found = run
        .sender
        .hubspot(Lane::General, Effect::Read, request, objects::read_one)
        .await?;
    // One that was merged away leads to its survivor, which has the key now.
    let Some(found) = found.filter(|found| {
        found.properties.get(&key) == Some(&target.object_key)
            && Some(&found.id) != target.hubspot_id.as_ref()
    }) else {
        return Ok(None);
    };
    let blank = [key, marker::name(run)].map(|name| (name, String::new()));
    let blank: SortedMap<String, String> = blank.into_iter().collect();
    let writes = [Write {
        id: &found.id,
        trace: &target.object_key,
        properties: &blank,
    }];
    let answers = update(run, kind, &writes).await?;
    Ok(match answers.into_iter().next() {
        Some(Answer::Refused(refusal)) if !refusal::is_missing(&refusal) => Some(refusal),
        _ => None,
    })
}
