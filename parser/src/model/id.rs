//! What names a record, a recurrence or a sequence axis of one model.

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident),*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) u32);

        impl $name {
            /// The index, for tables of one entry for each.
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// An id for tests that have no model.
            #[doc(hidden)]
            pub const fn made_up(index: u32) -> Self {
                Self(index)
            }
        }
    )*};
}

id!(
    /// A variable record: an index in [`Model::variables`](super::Model::variables).
    VariableId,
    /// A function record: an index in [`Model::functions`](super::Model::functions).
    FunctionId,
    /// A recurrence: an index in [`ValidatedModel::loops`](super::ValidatedModel::loops).
    LoopId,
    /// A sequence axis: an index in [`ValidatedModel::sequence_axes`](super::ValidatedModel::sequence_axes).
    SequenceAxisId
);
