//! What every call and every control works on. Each part has a lock of its own, held for as long as one answer is made and
//! never across an await; `tokens` may be held while `world` is taken, never the other way round.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::sync::mpsc;

use super::{
    clock::Clock,
    faults::Faults,
    opaque::{Opaque, mix},
    options::{Options, Quirk, Webhook},
    record::Record,
    seed,
    throttle::Throttle,
    tokens::Tokens,
    webhooks::Mailbox,
    world::World,
};

pub(super) struct Shared {
    pub options: Options,
    pub clock: Clock,
    pub opaque: Opaque,
    pub mailbox: Mailbox,
    world: RwLock<World>,
    tokens: Mutex<Tokens>,
    faults: Mutex<Faults>,
    throttle: Mutex<Throttle>,
    record: Mutex<Record>,
    quirks: AtomicU32,
    webhook: Mutex<Option<Webhook>>,
}

impl Shared {
    /// A fresh world; the receiver is where webhooks are taken from.
    pub(super) fn new(options: Options) -> (Self, mpsc::UnboundedReceiver<Vec<u8>>) {
        let (mailbox, letters) = Mailbox::new();
        let clock = Clock::default();
        // Tokens and trace ids differ between runs of one seed, as they would at Meta.
        let salt = u64::try_from(clock.now().unix_timestamp_nanos() & i128::from(u64::MAX)).unwrap_or_default();
        let shared = Self {
            world: RwLock::new(seed::world(&options, clock.now())),
            tokens: Mutex::default(),
            faults: Mutex::new(Faults::new(options.chances.clone())),
            throttle: Mutex::default(),
            record: Mutex::default(),
            quirks: AtomicU32::new(0),
            webhook: Mutex::new(options.webhook.clone()),
            opaque: Opaque::new(mix(options.seed) ^ salt),
            clock,
            mailbox,
            options,
        };
        for quirk in shared.options.quirks.clone() {
            shared.set_quirk(quirk, true);
        }
        (shared, letters)
    }

    /// Where webhooks go now.
    pub(super) fn webhook(&self) -> Option<Webhook> {
        self.webhook.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn send_webhooks_to(&self, webhook: Webhook) {
        *self.webhook.lock().unwrap_or_else(PoisonError::into_inner) = Some(webhook);
    }

    pub(super) fn world(&self) -> RwLockReadGuard<'_, World> {
        self.world.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn world_mut(&self) -> RwLockWriteGuard<'_, World> {
        self.world.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.load(Ordering::Relaxed) & bit(quirk) != 0
    }

    pub(super) fn set_quirk(&self, quirk: Quirk, on: bool) {
        if on {
            self.quirks.fetch_or(bit(quirk), Ordering::Relaxed);
        } else {
            self.quirks.fetch_and(!bit(quirk), Ordering::Relaxed);
        }
    }

    pub(super) fn quirks(&self) -> BTreeSet<Quirk> {
        Quirk::ALL.iter().copied().filter(|quirk| self.has(*quirk)).collect()
    }
}

const fn bit(quirk: Quirk) -> u32 {
    1 << quirk as u32
}
