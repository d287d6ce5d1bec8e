//! Configuration: defaults, then a file, then the environment, then flags; each value knows where it came from.
//!
//! Every layer is flattened to `section.name` keys before the layers are merged, because librdkafka's option names contain
//! dots themselves: `kafka.rdkafka.security.protocol` is the option `security.protocol`, however it was written.

mod choice;
mod duration;
mod entry;
mod environment;
mod file;
mod filter;
mod keys;
mod layers;
mod listen;
mod machine;
mod memory;
mod nearest;
mod number;
mod report;
mod secret;
mod settings;
mod size;
mod text;

pub use choice::{GroupProtocol, LogFormat};
pub use entry::{Entry, Origin};
pub use filter::LogFilter;
pub use layers::{Effective, EffectiveValue, Sources, load};
pub use listen::Listen;
pub use memory::Memory;
pub(crate) use nearest::nearest;
pub use report::{to_json, to_text};
pub use settings::{AdminSettings, KafkaSettings, LogSettings, MemorySettings, RunSettings, Settings, StateSettings};
pub use size::ByteSize;
pub use text::Text;
