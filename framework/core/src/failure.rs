//! What user code answers when it cannot handle a record.

use std::error::Error;
use std::fmt;

use crate::port::StoreError;

/// Why a record could not be processed. Any error turns into one by `?`; the input's [`Policy`](crate::Policy) then
/// decides: stop, or count the record and go on without any of its effects.
#[derive(Debug)]
pub struct Failure {
    cause: Box<dyn Error + Send + Sync>,
}

impl Failure {
    /// A failure with this text.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { cause: message.into().into() }
    }

    /// The storage failure behind this, if that is what it is. No policy applies to it: the record is not at fault.
    pub(crate) fn store_error(&self) -> Option<&StoreError> {
        self.cause.downcast_ref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(cause: E) -> Failure {
        Failure { cause: Box::new(cause) }
    }
}
