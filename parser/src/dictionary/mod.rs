//! CNTK's generic records: dictionaries, lists and values, borrowed from the input.
//!
//! A [`Dictionary`] or [`Vector`] borrows bytes whose structure was checked once, when the file was parsed. Entries are
//! decoded each time they are asked for, so a record takes no memory however large it is. On bytes that were never
//! checked, iteration ends at the first error.

mod array;
mod check;
mod entries;
mod from_value;
mod kind;
mod leaves;
mod value;

pub use entries::{Dictionary, Entry, Item, Vector};
pub use kind::ValueKind;
pub use value::Value;

pub(crate) use array::element_size;
pub(crate) use check::Checker;
pub(crate) use entries::RawEntry;
pub(crate) use from_value::{FromValue, expect, list};
