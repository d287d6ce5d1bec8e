//! Looking into stores from outside: what an entry's bytes stand for, as JSON, and how a person's key becomes bytes.
//!
//! A store's [`Shape`] is taken down where the store is declared, because only there its types are known. From then on it is all functions
//! on bytes: a stopped process' state is read with them as well as a running one's.

mod entry;
mod names;
mod query;
mod shape;
mod text;

pub(crate) use names::type_name;
pub use query::{Page, QueryError, StateQuery, StoreSummary};
pub use shape::StoreKind;
pub(crate) use shape::{Shape, Types};
pub(crate) use text::{hex, read_hex};
