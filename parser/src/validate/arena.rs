//! Vectors indexed by the model's ids, so that an id of one kind cannot index a vector of another.

use crate::model::{FunctionId, VariableId};
use std::marker::PhantomData;

/// An id that is the index of a record.
pub(crate) trait Id: Copy {
    /// The index in a vector.
    fn place(self) -> usize;
    /// The id with this index.
    fn of(place: usize) -> Self;
}

macro_rules! id {
    ($($name:ty),*) => {$(
        impl Id for $name {
            fn place(self) -> usize {
                self.0 as usize
            }
            fn of(place: usize) -> Self {
                Self(u32::try_from(place).unwrap_or(u32::MAX))
            }
        }
    )*};
}

id!(FunctionId, VariableId);

/// One `T` for each record that a `K` can name.
#[derive(Clone, Debug)]
pub(crate) struct PerId<K, T> {
    items: Vec<T>,
    kind: PhantomData<K>,
}

impl<K: Id, T> PerId<K, T> {
    /// `count` copies of `value`.
    pub(crate) fn filled(count: usize, value: T) -> Self
    where
        T: Clone,
    {
        Self::from(vec![value; count])
    }

    /// The item of `id`; `None` for an id without a record.
    pub(crate) fn get(&self, id: K) -> Option<&T> {
        self.items.get(id.place())
    }

    /// The item of `id`, to be changed.
    pub(crate) fn get_mut(&mut self, id: K) -> Option<&mut T> {
        self.items.get_mut(id.place())
    }

    /// Sets the item of `id`; an id without a record is ignored.
    pub(crate) fn set(&mut self, id: K, value: T) {
        if let Some(slot) = self.items.get_mut(id.place()) {
            *slot = value;
        }
    }

    /// The items with their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &T)> {
        self.items.iter().enumerate().map(|(i, item)| (K::of(i), item))
    }

    /// How many items there are.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// The items alone.
    pub(crate) fn into_vec(self) -> Vec<T> {
        self.items
    }
}

impl<K, T> From<Vec<T>> for PerId<K, T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, kind: PhantomData }
    }
}

/// The records of a slice with their ids.
pub(crate) fn ids<K: Id, T>(items: &[T]) -> impl Iterator<Item = (K, &T)> {
    items.iter().enumerate().map(|(i, item)| (K::of(i), item))
}
