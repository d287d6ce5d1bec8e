//! What user code answers when it cannot handle a record.

use std::error::Error;
use std::fmt;

use thiserror::Error;

use crate::port::StoreError;
use crate::state::TooLarge;

/// The log refused for good what a record or timer led to.
#[derive(Debug, Error)]
#[error("{0}")]
pub(crate) struct Refused(pub(crate) String);

/// Why a record could not be processed. Any error turns into one by `?`; the input's [`Policy`](crate::Policy) then
/// decides: stop, or count the record and go on without any of its effects.
#[derive(Debug)]
pub struct Failure {
    cause: Box<dyn Error + Send + Sync>,
    /// The node that failed, within the task.
    node: Option<usize>,
}

impl Failure {
    /// A failure with this text.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure { cause: message.into().into(), node: None }
    }

    /// The same, with the node unless it is known already: the innermost one tells first.
    pub(crate) fn at(mut self, node: usize) -> Failure {
        self.node.get_or_insert(node);
        self
    }

    pub(crate) fn node(&self) -> Option<usize> {
        self.node
    }

    /// Whether the results are at fault and not the code that made them.
    pub(crate) fn is_unwritable(&self) -> bool {
        self.cause.is::<TooLarge>() || self.cause.is::<Refused>()
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
        Failure { cause: Box::new(cause), node: None }
    }
}
