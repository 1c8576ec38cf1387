//! A choice of LINE WORKS that does not change while the program runs.

use std::sync::Arc;

use crm_domain::instant::Instant;
use crm_domain::ports::callbacks::{
    CallbackHeaders, CallbackRefused, Callbacks, InboundEvent, InterpretError, SampleCallback,
    VerifiedCallback,
};
use crm_domain::ports::messenger::{Messenger, Messengers};

use crate::client::LineWorks;
use crate::interpret::interpret;

/// The messengers of a program whose settings are read at its start; `None` when LINE WORKS is not set up.
#[derive(Clone)]
pub struct StaticMessengers(pub Option<Arc<LineWorks>>);

impl Messengers for StaticMessengers {
    fn line_works(&self) -> Option<Arc<dyn Messenger>> {
        self.0.clone().map(|line_works| line_works as Arc<dyn Messenger>)
    }
}

/// The callbacks of such a program: without LINE WORKS none counts, while those kept earlier are still understood.
#[derive(Clone)]
pub struct StaticCallbacks(pub Option<Arc<LineWorks>>);

impl Callbacks for StaticCallbacks {
    fn verify(&self, headers: CallbackHeaders<'_>, body: &[u8]) -> Result<VerifiedCallback, CallbackRefused> {
        self.0
            .as_ref()
            .ok_or(CallbackRefused::NotConfigured)?
            .verify(headers, body)
    }

    fn may_be_ours(&self, headers: CallbackHeaders<'_>, body: &[u8]) -> bool {
        self.0
            .as_ref()
            .is_some_and(|line_works| line_works.may_be_ours(headers, body))
    }

    fn interpret(&self, body: &[u8]) -> Result<InboundEvent, InterpretError> {
        match &self.0 {
            Some(line_works) => line_works.interpret(body),
            None => interpret(None, body),
        }
    }

    fn sample(&self, at: Instant) -> Option<SampleCallback> {
        self.0.as_ref()?.sample(at)
    }
}
