//! The queue of turns, where the deployment has one: binding `SYNC`. What could not be taken however
//! often it was tried comes back by a second queue, whose name ends in [`DEAD`].

use serde_json::json;
use worker::{
    Context, Env, MessageBatch, MessageExt, RawMessage,
    js_sys::{Function, JSON, Promise, Reflect},
    wasm_bindgen::{JsCast, JsValue},
    wasm_bindgen_futures::JsFuture,
};

use super::{log, message as words, set_up};
use crate::{
    tick::{Heard, Turns},
    typed,
};

const DEAD: &str = "-dead";

/// The sending end.
pub struct Queue(JsValue);

/// Nothing where the deployment has none.
pub fn of(env: &Env) -> Option<Queue> {
    let queue = Reflect::get(env.as_ref(), &"SYNC".into()).ok()?;
    queue.is_object().then_some(Queue(queue))
}

impl Queue {
    /// Whether all went out; what did not is logged.
    pub async fn send(&self, turns: &[Turns]) -> bool {
        for turns in turns {
            if let Err(error) = self.send_one(turns).await {
                let error = words(&error);
                log(&json!({ "event": "queue_unreachable", "error": error }).to_string());
                return false;
            }
        }
        true
    }

    async fn send_one(&self, turns: &Turns) -> Result<(), JsValue> {
        let body = JSON::parse(&json!(turns).to_string())?;
        let send: Function = Reflect::get(&self.0, &"send".into())?.dyn_into()?;
        let promise: Promise = send.call1(&self.0, &body)?.dyn_into()?;
        JsFuture::from(promise).await?;
        Ok(())
    }
}

#[worker::event(queue)]
async fn queue(batch: MessageBatch<()>, env: Env, _: Context) -> worker::Result<()> {
    let dead = batch.queue().ends_with(DEAD);
    for message in batch.raw_iter() {
        let Ok((edge, config)) = set_up(&env) else {
            // What is missing was logged; whoever mends it deploys, and the message is tried again.
            message.retry();
            continue;
        };
        let heard = match read(&message) {
            // Another version's: cron sends what this one understands.
            None => Heard::default(),
            Some(turns) if dead => turns.give_up(&edge).await,
            Some(turns) => turns.take(&edge, &config).await,
        };
        if heard.again {
            message.retry();
        } else {
            message.ack();
        }
        if let (Some(next), Some(queue)) = (heard.next, of(&env)) {
            // Where it does not go out, cron goes on with it.
            queue.send(&[next]).await;
        }
        log(&edge.cost.of("turn"));
    }
    Ok(())
}

fn read(message: &RawMessage) -> Option<Turns> {
    let text = JSON::stringify(&message.body()).ok()?;
    typed::from_str(&String::from(text)).ok()
}
