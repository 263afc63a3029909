// SPDX-License-Identifier: Apache-2.0
//! A bug is answered too: one JSON line, then the end of the process.

use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::answer::Context;
use crate::failure::Failure;
use crate::stdout;

/// What is known of the run; nothing until the options, and so the secrets, were read.
static CONTEXT: Mutex<Option<Arc<Context>>> = Mutex::new(None);

static CHANGED: AtomicBool = AtomicBool::new(false);

/// Says that something on the machine was changed, for the answer in case of a panic afterwards.
///
/// Call it after the first change of each kind; more calls cost nothing.
pub fn note_change() {
    CHANGED.store(true, Ordering::Release);
}

pub(crate) fn changed() -> bool {
    CHANGED.load(Ordering::Acquire)
}

pub(crate) fn know(context: Arc<Context>) {
    *CONTEXT.lock().unwrap_or_else(PoisonError::into_inner) = Some(context);
}

/// Makes every panic, in whatever thread, answer and end the process with status 1.
///
/// The process ends here, not by unwinding or abort, so that the debug and the release profile behave alike
/// and Ansible sees a failed task instead of a signal. The message goes nowhere else: stderr is not scrubbed.
pub(crate) fn install(module: &'static str) {
    std::panic::set_hook(Box::new(move |info| {
        let context = CONTEXT
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let panic = Panic {
            module,
            said: said(info, context.is_some()),
            at: place(info),
        };
        let answer = context.unwrap_or_default().failure(&panic, changed());
        // If nobody reads the answer there is nobody left to tell.
        drop(stdout::answer(&answer.line));
        #[expect(
            clippy::disallowed_methods,
            clippy::exit,
            reason = "a panic hook has no other way to choose the exit status"
        )]
        std::process::exit(1);
    }));
}

/// Before the options were read no secret is known, so the message, which could quote the input, is left out.
fn said(info: &PanicHookInfo<'_>, secrets_known: bool) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    match text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)) {
        Some(text) if secrets_known => text.to_owned(),
        _ => "panic".to_owned(),
    }
}

fn place(info: &PanicHookInfo<'_>) -> String {
    match info.location() {
        Some(at) => format!("{}:{}", at.file(), at.line()),
        None => "an unknown place".to_owned(),
    }
}

/// A bug: the operator should report it.
#[derive(Debug, thiserror::Error)]
#[error("internal error at {at}: {said}")]
struct Panic {
    module: &'static str,
    said: String,
    at: String,
}

impl Failure for Panic {
    fn kind(&self) -> &str {
        "internal.panic"
    }

    fn hint(&self) -> Option<String> {
        Some(format!(
            "this is a bug in {} {}; run the task again, and report this answer with the options",
            self.module,
            crate::VERSION
        ))
    }
}
