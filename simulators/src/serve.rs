//! HTTP/1.1 in front of the simulators, which carries out what they only say: waiting, breaking a
//! connection before or within an answer, doing a request long after its caller gave up.

use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, NaiveDate};
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::hubspot::{Exchange, Portal};
use crate::syspro::{Manner, Server};
use crate::{Millis, Request, Response, control};

/// Both systems, and the chance that moves their days.
pub struct World {
    pub syspro: Server,
    pub hubspot: Portal,
    pub rng: fastrand::Rng,
    /// Connections that callers hold: while there is none, nothing that was asked can still happen,
    /// but what a fault has put off.
    pub open: usize,
}

pub type Shared = Arc<Mutex<World>>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Syspro,
    Hubspot,
}

const MOST_CONNECTIONS: usize = 256;
const LONGEST_BODY: usize = 32 * 1_024 * 1_024;
const LONGEST_WAIT: u64 = 10 * 60 * 1_000;

/// The one clock of the simulators.
fn now() -> Millis {
    let since = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or_default()
}

pub fn today() -> NaiveDate {
    DateTime::from_timestamp_millis(now())
        .unwrap_or_default()
        .date_naive()
}

/// The world, even after a request that panicked in it.
pub fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where both sides listen.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub syspro: SocketAddr,
    pub hubspot: SocketAddr,
}

/// Serves both sides on free loopback ports from a thread of its own, for as long as the process
/// lives; the caller keeps its hands on the world.
///
/// # Errors
/// No port, or no thread, is to be had.
pub fn in_background(world: &Shared) -> std::io::Result<Addresses> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let syspro = runtime.block_on(listen(0))?;
    let hubspot = runtime.block_on(listen(0))?;
    let addresses = Addresses {
        syspro: syspro.local_addr()?,
        hubspot: hubspot.local_addr()?,
    };
    let world = Arc::clone(world);
    std::thread::Builder::new().spawn(move || {
        runtime.block_on(async {
            let syspro = accept(Side::Syspro, syspro, Arc::clone(&world));
            let hubspot = accept(Side::Hubspot, hubspot, world);
            // Neither comes to an end by itself.
            tokio::join!(syspro, hubspot)
        })
    })?;
    Ok(addresses)
}

/// # Errors
/// The port is taken.
pub async fn listen(port: u16) -> std::io::Result<TcpListener> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}

/// Takes connections for as long as the process lives.
///
/// # Errors
/// The listener fails.
pub async fn accept(side: Side, listener: TcpListener, world: Shared) -> std::io::Result<()> {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        let (stream, _) = listener.accept().await?;
        let world = Arc::clone(&world);
        lock(&world).open += 1;
        tokio::spawn(async move {
            let service = service_fn(|request| answer(side, Arc::clone(&world), request));
            // A connection that breaks is part of the play.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
            lock(&world).open -= 1;
            drop(place);
        });
    }
}

/// Why a connection breaks: on purpose, or because its caller did.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the connection breaks here")
    }
}

impl std::error::Error for Broken {}

async fn answer(
    side: Side,
    world: Shared,
    request: http::Request<Incoming>,
) -> Result<http::Response<Sent>, Broken> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, LONGEST_BODY)
        .collect()
        .await
        .map_err(|_| Broken)?;
    let body = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    let request = Request::from_parts(parts, body);
    if let Some(response) = control::answer(side, &world, &request) {
        return Ok(whole(response));
    }
    match side {
        Side::Syspro => {
            let response = lock(&world).syspro.answer(now(), &request);
            let Manner { delay, drop } = Manner::of(&response);
            wait(u64::try_from(delay).unwrap_or_default()).await;
            if drop {
                Err(Broken)
            } else {
                Ok(whole(response))
            }
        }
        Side::Hubspot => {
            let exchange = lock(&world).hubspot.exchange(now(), &request);
            carry_out(exchange, world, request).await
        }
    }
}

async fn carry_out(
    exchange: Exchange,
    world: Shared,
    request: Request,
) -> Result<http::Response<Sent>, Broken> {
    match exchange {
        Exchange::Answer(response) => Ok(whole(response)),
        Exchange::Delayed { ms, response } => {
            wait(ms).await;
            Ok(whole(response))
        }
        Exchange::Dropped { .. } => Err(Broken),
        Exchange::DroppedThenDone { late_ms } => {
            tokio::spawn(async move {
                wait(late_ms).await;
                lock(&world).hubspot.answer(now(), &request);
            });
            Err(Broken)
        }
        Exchange::Cut { response, whole } => Ok(response.map(|bytes| Sent::new(bytes, whole))),
    }
}

async fn wait(delay: u64) {
    if delay > 0 {
        tokio::time::sleep(Duration::from_millis(delay.min(LONGEST_WAIT))).await;
    }
}

fn whole(response: Response) -> http::Response<Sent> {
    response.map(|bytes| {
        let whole = bytes.len();
        Sent::new(bytes, whole)
    })
}

/// A body that says how long it is, and breaks the connection where it turns out shorter.
struct Sent {
    bytes: Option<Bytes>,
    /// What is still owed.
    whole: usize,
    paused: bool,
}

impl Sent {
    fn new(bytes: Vec<u8>, whole: usize) -> Self {
        Self {
            bytes: Some(bytes.into()),
            whole,
            paused: false,
        }
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        Poll::Ready(match self.bytes.take() {
            Some(bytes) => {
                self.whole -= bytes.len().min(self.whole);
                Some(Ok(Frame::data(bytes)))
            }
            None if self.whole > 0 && !self.paused => {
                // What was said so far leaves while nothing is ready.
                self.paused = true;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            None if self.whole > 0 => Some(Err(Broken)),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none() && self.whole == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.whole as u64)
    }
}
