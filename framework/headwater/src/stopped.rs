use headwater_core::RunFailure;
use headwater_ops::{CliError, run_error};
use headwater_runtime::RunError;

/// Why a run ended: as the person reads it, and as the next start remembers it.
pub(crate) struct Stopped {
    error: CliError,
    record: Option<(headwater_core::TopicPartition, i64)>,
}

impl Stopped {
    pub(crate) fn failure(&self) -> RunFailure {
        RunFailure { code: self.error.code.map(str::to_owned), message: self.error.message.clone(), record: self.record.clone() }
    }

    pub(crate) fn into_error(self) -> CliError {
        self.error
    }
}

impl From<CliError> for Stopped {
    fn from(error: CliError) -> Stopped {
        Stopped { error, record: None }
    }
}

impl From<RunError> for Stopped {
    fn from(error: RunError) -> Stopped {
        let record = error.record();
        Stopped { error: run_error(error), record }
    }
}
