//! Short lists.

use smallvec::SmallVec;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// A list for each axis of something. Up to four entries need no allocation.
#[derive(Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(transparent))]
pub struct Sizes<T>(SmallVec<[T; 4]>);

impl<T> Sizes<T> {
    /// An empty list.
    pub fn new() -> Self {
        Self(SmallVec::new())
    }

    /// The entries.
    pub fn as_slice(&self) -> &[T] {
        &self.0
    }

    /// Appends an entry.
    pub fn push(&mut self, entry: T) {
        self.0.push(entry);
    }

    /// Inserts an entry before the one at `place`.
    pub fn insert(&mut self, place: usize, entry: T) {
        self.0.insert(place, entry);
    }

    /// Keeps the first entries.
    pub fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }
}

impl<T: Clone> Sizes<T> {
    /// Cuts the list, or appends copies of `entry`, to get this length.
    pub fn resize(&mut self, length: usize, entry: T) {
        self.0.resize(length, entry);
    }
}

impl<T> Default for Sizes<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for Sizes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T> Deref for Sizes<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> DerefMut for Sizes<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T: Clone> From<&[T]> for Sizes<T> {
    fn from(entries: &[T]) -> Self {
        Self(entries.into())
    }
}

impl<T, const N: usize> From<[T; N]> for Sizes<T> {
    fn from(entries: [T; N]) -> Self {
        entries.into_iter().collect()
    }
}

impl<T> FromIterator<T> for Sizes<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<T> Extend<T> for Sizes<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, entries: I) {
        self.0.extend(entries);
    }
}

impl<'s, T> IntoIterator for &'s Sizes<T> {
    type Item = &'s T;
    type IntoIter = std::slice::Iter<'s, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T> IntoIterator for Sizes<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        IntoIter(self.0.into_iter())
    }
}

/// The entries of a [`Sizes`].
#[derive(Debug)]
pub struct IntoIter<T>(smallvec::IntoIter<[T; 4]>);

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl<T> DoubleEndedIterator for IntoIter<T> {
    fn next_back(&mut self) -> Option<T> {
        self.0.next_back()
    }
}

impl<T> ExactSizeIterator for IntoIter<T> {}
