use headwater_core::engine::EngineError;
use headwater_core::{PlanError, TaskError};
use headwater_runtime::RunError;

use crate::error::CliError;
use crate::explain::codes;

/// A failed run with the page that explains it.
pub fn run_error(error: RunError) -> CliError {
    let code = match &error {
        RunError::Plan(PlanError::MissingInput { .. }) => codes::MISSING_INPUT_TOPIC,
        RunError::Plan(PlanError::NotCopartitioned { .. }) => codes::NOT_COPARTITIONED,
        RunError::InternalTopic { .. } => codes::INTERNAL_TOPIC,
        RunError::TopologyChanged { .. } => codes::TOPOLOGY_CHANGED,
        RunError::Superseded { .. } => codes::SUPERSEDED,
        RunError::NotInForce { .. } => codes::NOT_IN_FORCE,
        RunError::NewInput { .. } => codes::NO_COMMON_CUT,
        RunError::UnfinishedReset { .. } => codes::UNFINISHED_RESET,
        RunError::Control { .. } => codes::CONTROL_TOPIC,
        RunError::Engine(EngineError::Task(TaskError::Undecodable { .. })) => codes::UNDECODABLE_RECORD,
        RunError::Engine(EngineError::Task(TaskError::TooFarAhead { .. })) => codes::TOO_FAR_AHEAD,
        RunError::Engine(EngineError::Task(TaskError::Unwritable { .. })) => codes::REFUSED_RECORD,
        RunError::Engine(EngineError::Task(TaskError::Failed { .. } | TaskError::TimerFailed { .. })) => codes::USER_CODE,
        RunError::Engine(EngineError::Task(TaskError::Store(error)) | EngineError::Store(error)) | RunError::Store(error) => {
            return error.clone().into();
        }
        RunError::Engine(EngineError::InputShorter { .. } | EngineError::InputTrimmed { .. } | EngineError::SpanLost { .. }) => {
            codes::INPUT_OUT_OF_RANGE
        }
        RunError::Engine(EngineError::Sink { .. }) => codes::SINK_FAILED,
        RunError::Log(error) | RunError::Engine(EngineError::Log(error)) => return error.clone().into(),
        RunError::Worker { .. } => return CliError::failed(error.to_string()),
    };
    CliError::failed(error.to_string()).with_code(code)
}
