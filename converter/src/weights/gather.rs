//! Copies elements out of a strided layout and converts them.

/// A box of elements in `data`: where it begins, its sizes, and its strides in elements.
pub(super) struct Gather<'a> {
    pub(super) data: &'a [u8],
    pub(super) start: isize,
    pub(super) dims: &'a [usize],
    pub(super) strides: &'a [isize],
}

/// The size of a tile. Source and destination of a tile fit in the first-level cache.
const TILE: usize = 32;

impl Gather<'_> {
    /// Fills `out` in row-major order.
    pub(super) fn run<const IN: usize, const OUT: usize>(
        &self,
        out: &mut [u8],
        convert: impl Fn([u8; IN]) -> [u8; OUT] + Copy,
    ) {
        let Some(last) = self.dims.len().checked_sub(1) else {
            return self.row(out, self.start, 1, 0, convert);
        };
        let fast = (0..=last).min_by_key(|i| self.strides[*i].unsigned_abs()).unwrap_or(last);
        let (count, step) = (self.dims[last], self.strides[last]);
        // Everything but the rows and columns of the transposed planes.
        let rows: usize = self.dims[..last].iter().product();
        let apart: usize = self.dims[fast + 1..].iter().product();
        for row in 0..rows {
            let (mut at, mut rest) = (self.start, row);
            let mut first_of_tile = true;
            for axis in (0..last).rev() {
                let index = rest % self.dims[axis];
                rest /= self.dims[axis];
                at += index as isize * self.strides[axis];
                first_of_tile &= axis != fast || index == 0;
            }
            if fast == last {
                self.row(&mut out[row * count * OUT..(row + 1) * count * OUT], at, count, step, convert);
            } else if first_of_tile {
                self.transpose(&mut out[row * count * OUT..], at, fast, apart, convert);
            }
        }
    }

    fn row<const IN: usize, const OUT: usize>(
        &self,
        out: &mut [u8],
        mut at: isize,
        count: usize,
        step: isize,
        convert: impl Fn([u8; IN]) -> [u8; OUT],
    ) {
        if step == 1 {
            let data = &self.data[at as usize * IN..][..count * IN];
            for (to, from) in out.as_chunks_mut::<OUT>().0.iter_mut().zip(data.as_chunks::<IN>().0) {
                *to = convert(*from);
            }
            return;
        }
        for to in out.as_chunks_mut::<OUT>().0 {
            *to = convert(self.element(at));
            at += step;
        }
    }

    /// Copies the plane of axis `fast` and the last axis in tiles. Its rows are `apart` elements from each other in
    /// `out`.
    fn transpose<const IN: usize, const OUT: usize>(
        &self,
        out: &mut [u8],
        at: isize,
        fast: usize,
        apart: usize,
        convert: impl Fn([u8; IN]) -> [u8; OUT],
    ) {
        let last = self.dims.len() - 1;
        let (rows, row_step) = (self.dims[fast], self.strides[fast]);
        let (columns, column_step) = (self.dims[last], self.strides[last]);
        let out = out.as_chunks_mut::<OUT>().0;
        for first_column in (0..columns).step_by(TILE) {
            let width = TILE.min(columns - first_column);
            for first_row in (0..rows).step_by(TILE) {
                for row in first_row..rows.min(first_row + TILE) {
                    let mut from = at + row as isize * row_step + first_column as isize * column_step;
                    let begin = row * apart + first_column;
                    for to in &mut out[begin..begin + width] {
                        *to = convert(self.element(from));
                        from += column_step;
                    }
                }
            }
        }
    }

    fn element<const IN: usize>(&self, at: isize) -> [u8; IN] {
        self.data.as_chunks::<IN>().0[at as usize]
    }
}
