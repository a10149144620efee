//! Axes as stored (spec section 3.4).

/// An `Axis` record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Axis<'a> {
    /// `static_axis_idx`: a file axis (column-major; a negative one counts from the end), or a sentinel.
    pub index: i32,
    /// `name`: the identity of a dynamic axis; on a static axis only informative.
    pub name: &'a str,
    /// `is_ordered_dynamic_axis`.
    pub ordered: bool,
}

/// The reserved name of the default batch axis.
const BATCH_AXIS: &str = "defaultBatchAxis";

/// What an [`Axis`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AxisKind {
    /// File axis `k` (column-major). A negative one counts from the end: -1 is the first row-major axis.
    Static(i32),
    /// A sequence axis.
    Sequence,
    /// The batch axis.
    Batch,
    /// All static axes.
    AllStatic,
    /// All static and dynamic axes.
    All,
    /// Not known yet (open placeholders).
    Unknown,
    /// The end-of-static-axes marker: as an `endAxis`, the rank.
    End,
}

impl Axis<'_> {
    /// What the index and the flag mean together.
    pub fn kind(&self) -> AxisKind {
        match self.index {
            // The reserved name means the batch axis even if the flag is set.
            i32::MAX if self.ordered && self.name != BATCH_AXIS => AxisKind::Sequence,
            i32::MAX => AxisKind::Batch,
            2_147_483_646 => AxisKind::AllStatic,
            2_147_483_645 => AxisKind::Unknown,
            2_147_483_644 => AxisKind::End,
            2_147_483_643 => AxisKind::All,
            k => AxisKind::Static(k),
        }
    }

    /// The **row-major** axis of a value of `rank` axes that this static axis names (spec 3.4: `-k - 1` from the end
    /// for k >= 0). `None` when it is not a static axis or is out of range.
    pub fn row(&self, rank: usize) -> Option<usize> {
        let AxisKind::Static(k) = self.kind() else { return None };
        let rank = i64::try_from(rank).ok()?;
        let k = i64::from(k);
        let file = if k < 0 { k.checked_add(rank)? } else { k };
        if file < 0 || file >= rank {
            return None;
        }
        usize::try_from(rank.checked_sub(1)?.checked_sub(file)?).ok()
    }
}
