//! What bodies of nodes are made of.

/// The form of a part of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Size,
    U32,
    I32,
    F32,
    F64,
    /// 8 bytes in a node of double precision, else 4.
    Number,
    Flag,
    Text,
    /// A text that nothing reads, of any units.
    Units,
    /// Single bytes, ended by a zero.
    Ascii,
    Shape,
    /// A shape, or three sizes.
    OldShape,
    Flags,
    Sizes,
    /// A count and so many texts.
    Texts,
    Matrix,
    /// Of slices: begin, length, axis, stride.
    Ranges,
    /// Of reductions: a count since version 27, else one axis.
    Axes,
    /// Sizes that stand there only if the two axes before are 0.
    Permutation,
    /// A number up to 3 that some writers left out.
    Mode,
    /// The same, or a negative one.
    SignedMode,
    /// 8 bytes, or 4 in files that version 16 wrote on Windows.
    Seed,
}

/// A part of a body.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Size(u64),
    U32(u32),
    I32(i32),
    F32([u8; 4]),
    F64([u8; 8]),
    Flag(u8),
    Text(String),
    Units(Vec<u16>),
    Ascii(Vec<u8>),
    Shape(Vec<u32>),
    /// The sizes as they stand in the file.
    ThreeSizes([u64; 3]),
    Flags(Vec<u8>),
    Sizes(Vec<u64>),
    Texts(Vec<String>),
    Matrix(Matrix),
    Ranges(Vec<(i64, i64, i32, i32)>),
    Axes(Vec<i32>),
    Mode(Option<u32>),
    Seed {
        seed: u64,
        short: bool,
    },
}

/// A matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// `d` or `s`.
    pub kind: u8,
    pub element: u64,
    pub name: Vec<u16>,
    pub format: i32,
    /// Of a sparse one: how many elements are stored.
    pub stored: u64,
    pub rows: u64,
    pub columns: u64,
    pub data: Vec<u8>,
}

/// The code of compressed rows.
const CSR: i32 = 7;

impl Kind {
    /// Reads a part.
    pub(super) fn decode(self, from: &mut Source<'_>, version: u64, double: bool) -> Option<Value> {
        Some(match self {
            Self::Size => Value::Size(from.u64()?),
            Self::U32 => Value::U32(u32::from_le_bytes(from.array()?)),
            Self::I32 => Value::I32(from.i32()?),
            Self::F32 => Value::F32(from.array()?),
            Self::F64 => Value::F64(from.array()?),
            Self::Number if double => Value::F64(from.array()?),
            Self::Number => Value::F32(from.array()?),
            Self::Flag => Value::Flag(from.array::<1>()?[0]),
            Self::Text => Value::Text(from.text()?),
            Self::Units => Value::Units(from.units()?),
            Self::Ascii => Value::Ascii(from.ascii()?),
            Self::Shape => Value::Shape(from.shape()?),
            Self::OldShape => old_shape(from)?,
            Self::Flags => {
                let count = from.count(1)?;
                Value::Flags(from.bytes(count)?.to_vec())
            }
            Self::Sizes | Self::Permutation => Value::Sizes(from.sizes()?),
            Self::Texts => {
                let count = u32::from_le_bytes(from.array()?);
                Value::Texts((0..count).map(|_| from.text()).collect::<Option<_>>()?)
            }
            Self::Matrix => Value::Matrix(matrix(from)?),
            Self::Ranges => Value::Ranges(ranges(from, version)?),
            Self::Axes => {
                let count = if version >= 27 { u32::try_from(from.i32()?).ok()? } else { 1 };
                Value::Axes((0..count).map(|_| from.i32()).collect::<Option<_>>()?)
            }
            Self::Mode => Value::Mode(mode(from, |mode| mode <= 3)),
            Self::SignedMode => Value::Mode(mode(from, |mode| mode.cast_signed() <= 3)),
            Self::Seed => {
                let short = version == 16 && !from.node_after(16) && from.node_after(12);
                let seed = if short { u32::from_le_bytes(from.array()?).into() } else { from.u64()? };
                Value::Seed { seed, short }
            }
        })
    }

    /// A value that is often right.
    pub(super) fn usual(self) -> Value {
        match self {
            Self::Size => Value::Size(1),
            Self::U32 => Value::U32(1),
            Self::I32 => Value::I32(1),
            Self::F32 | Self::Number => Value::F32(1_f32.to_le_bytes()),
            Self::F64 => Value::F64(0.5_f64.to_le_bytes()),
            Self::Flag => Value::Flag(1),
            Self::Text => Value::Text("Sum".to_owned()),
            Self::Units => Value::Units(Vec::new()),
            Self::Ascii => Value::Ascii(Vec::new()),
            Self::Shape | Self::OldShape => Value::Shape(vec![1]),
            Self::Flags => Value::Flags(vec![0]),
            Self::Sizes | Self::Permutation => Value::Sizes(vec![0]),
            Self::Texts => Value::Texts(Vec::new()),
            Self::Matrix => Value::Matrix(Matrix {
                kind: b'd',
                element: 4,
                name: "unnamed".encode_utf16().collect(),
                format: 0,
                stored: 0,
                rows: 1,
                columns: 1,
                data: 1_f32.to_le_bytes().to_vec(),
            }),
            Self::Ranges => Value::Ranges(vec![(0, 1, 1, 1)]),
            Self::Axes => Value::Axes(vec![1]),
            Self::Mode | Self::SignedMode => Value::Mode(None),
            Self::Seed => Value::Seed { seed: 1, short: false },
        }
    }
}

impl Value {
    /// Writes a part.
    pub(super) fn encode(&self, version: u64, out: &mut Vec<u8>) {
        match self {
            Self::Size(n) => out.extend_from_slice(&n.to_le_bytes()),
            Self::U32(n) | Self::Mode(Some(n)) => out.extend_from_slice(&n.to_le_bytes()),
            Self::Mode(None) => {}
            Self::I32(n) => out.extend_from_slice(&n.to_le_bytes()),
            Self::F32(x) => out.extend_from_slice(x),
            Self::F64(x) => out.extend_from_slice(x),
            Self::Flag(flag) => out.push(*flag),
            Self::Text(text) => put_text(out, text),
            Self::Units(units) => put_units(out, units.iter().copied()),
            Self::Ascii(bytes) => {
                out.extend_from_slice(bytes);
                out.push(0);
            }
            Self::Shape(dims) => {
                out.extend_from_slice(&(dims.len() as u32).to_le_bytes());
                dims.iter().for_each(|dim| out.extend_from_slice(&dim.to_le_bytes()));
            }
            Self::ThreeSizes(sizes) => sizes.iter().for_each(|size| out.extend_from_slice(&size.to_le_bytes())),
            Self::Flags(flags) => {
                out.extend_from_slice(&(flags.len() as u64).to_le_bytes());
                out.extend_from_slice(flags);
            }
            Self::Sizes(sizes) => {
                out.extend_from_slice(&(sizes.len() as u64).to_le_bytes());
                sizes.iter().for_each(|size| out.extend_from_slice(&size.to_le_bytes()));
            }
            Self::Texts(texts) => {
                out.extend_from_slice(&(texts.len() as u32).to_le_bytes());
                texts.iter().for_each(|text| put_text(out, text));
            }
            Self::Matrix(matrix) => matrix.encode(out),
            Self::Ranges(ranges) => {
                if version >= 22 {
                    out.extend_from_slice(&(ranges.len() as i32).to_le_bytes());
                }
                let count = if version >= 22 { ranges.len() } else { 1 };
                for (begin, length, axis, stride) in ranges.iter().take(count) {
                    out.extend_from_slice(&begin.to_le_bytes());
                    out.extend_from_slice(&length.to_le_bytes());
                    if version >= 3 {
                        out.extend_from_slice(&axis.to_le_bytes());
                    }
                    if version >= 27 {
                        out.extend_from_slice(&stride.to_le_bytes());
                    }
                }
            }
            Self::Axes(axes) => {
                if version >= 27 {
                    out.extend_from_slice(&(axes.len() as i32).to_le_bytes());
                }
                let count = if version >= 27 { axes.len() } else { 1 };
                axes.iter().take(count).for_each(|axis| out.extend_from_slice(&axis.to_le_bytes()));
            }
            Self::Seed { seed, short } if *short && version == 16 => {
                out.extend_from_slice(&(*seed as u32).to_le_bytes());
            }
            Self::Seed { seed, .. } => out.extend_from_slice(&seed.to_le_bytes()),
        }
    }
}

impl Matrix {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.kind);
        put_text(out, "BMAT");
        out.extend_from_slice(&self.element.to_le_bytes());
        put_units(out, self.name.iter().copied());
        out.extend_from_slice(&self.format.to_le_bytes());
        let sizes = if self.kind == b's' {
            &[self.stored, self.columns, self.rows][..]
        } else {
            &[self.rows, self.columns][..]
        };
        sizes.iter().for_each(|size| out.extend_from_slice(&size.to_le_bytes()));
        out.extend_from_slice(&self.data);
        put_text(out, "EMAT");
    }
}

fn matrix(from: &mut Source<'_>) -> Option<Matrix> {
    let kind = from.array::<1>()?[0];
    from.marker("BMAT")?;
    let element = from.u64()?;
    let name = from.units()?;
    let format = from.i32()?;
    let (stored, rows, columns, length) = match kind {
        b'd' => {
            let (rows, columns) = (from.u64()?, from.u64()?);
            (0, rows, columns, rows.checked_mul(columns)?.checked_mul(element)?)
        }
        b's' => {
            let (stored, columns, rows) = (from.u64()?, from.u64()?, from.u64()?);
            let lines = if format == CSR { rows } else { columns };
            let length = match stored {
                0 => 0,
                n => n.checked_mul(element.checked_add(4)?)?.checked_add(lines.checked_add(1)?.checked_mul(4)?)?,
            };
            (stored, rows, columns, length)
        }
        _ => return None,
    };
    let data = from.bytes(length)?.to_vec();
    from.marker("EMAT")?;
    Some(Matrix { kind, element, name, format, stored, rows, columns, data })
}

fn old_shape(from: &mut Source<'_>) -> Option<Value> {
    let mut ahead = from.clone();
    let (low, high) = (ahead.array().map(u32::from_le_bytes)?, ahead.array().map(u32::from_le_bytes));
    if low > 0 && high == Some(0) {
        return Some(Value::ThreeSizes([from.u64()?, from.u64()?, from.u64()?]));
    }
    from.shape().map(Value::Shape)
}

fn mode(from: &mut Source<'_>, is: fn(u32) -> bool) -> Option<u32> {
    let mut ahead = from.clone();
    let mode = ahead.array().map(u32::from_le_bytes).filter(|mode| is(*mode))?;
    *from = ahead;
    Some(mode)
}

fn ranges(from: &mut Source<'_>, version: u64) -> Option<Vec<(i64, i64, i32, i32)>> {
    let count = if version >= 22 { u32::try_from(from.i32()?).ok()? } else { 1 };
    let mut ranges = Vec::new();
    for _ in 0..count {
        let (begin, length) = (from.array().map(i64::from_le_bytes)?, from.array().map(i64::from_le_bytes)?);
        let axis = if version >= 3 { from.i32()? } else { 1 };
        let stride = if version >= 27 { from.i32()? } else { 1 };
        ranges.push((begin, length, axis, stride));
    }
    Some(ranges)
}

/// Writes a text in UTF-16 and its end.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    put_units(out, text.encode_utf16());
}

fn put_units(out: &mut Vec<u8>, units: impl Iterator<Item = u16>) {
    units.chain([0]).for_each(|unit| out.extend_from_slice(&unit.to_le_bytes()));
}

/// The bytes that are left. Every method is `None` if they do not suffice.
#[derive(Clone)]
pub(super) struct Source<'a>(&'a [u8]);

impl<'a> Source<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    fn bytes(&mut self, count: u64) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_le_bytes)
    }

    /// A count of things of so many bytes at least.
    pub(super) fn count(&mut self, smallest: u64) -> Option<u64> {
        self.u64().filter(|count| *count <= self.0.len() as u64 / smallest)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        String::from_utf16(&self.units()?).ok()
    }

    fn units(&mut self) -> Option<Vec<u16>> {
        let length = self.0.as_chunks::<2>().0.iter().position(|unit| *unit == [0, 0])?;
        let units = self.0.as_chunks().0[..length].iter().map(|unit| u16::from_le_bytes(*unit)).collect();
        self.0 = &self.0[2 * length + 2..];
        Some(units)
    }

    pub(super) fn try_marker(&mut self, marker: &str) -> bool {
        let mut ahead = self.clone();
        let found = ahead.text().as_deref() == Some(marker);
        if found {
            *self = ahead;
        }
        found
    }

    pub(super) fn marker(&mut self, marker: &str) -> Option<()> {
        self.try_marker(marker).then_some(())
    }

    fn ascii(&mut self) -> Option<Vec<u8>> {
        let length = self.0.iter().position(|byte| *byte == 0)?;
        let bytes = self.bytes(length as u64)?.to_vec();
        self.array::<1>()?;
        Some(bytes)
    }

    fn shape(&mut self) -> Option<Vec<u32>> {
        let rank = self.array().map(u32::from_le_bytes)?;
        (0..rank).map(|_| self.array().map(u32::from_le_bytes)).collect()
    }

    fn sizes(&mut self) -> Option<Vec<u64>> {
        (0..self.count(8)?).map(|_| self.u64()).collect()
    }

    /// Does a node of version 16 or the end of the list begin so many bytes ahead?
    fn node_after(&self, bytes: u64) -> bool {
        let mut ahead = self.clone();
        ahead.bytes(bytes).is_some()
            && ahead.text().is_some_and(|text| ["", "float", "double", "half", "ENodeList"].contains(&text.as_str()))
    }
}
