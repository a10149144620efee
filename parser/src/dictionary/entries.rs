//! Dictionaries and lists, decoded on demand from bytes that were checked before.

use super::Value;
use crate::error::{Error, ErrorKind};
use crate::wire::Reader;

/// A dictionary. Keys are unique and stand in the file's order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dictionary<'a> {
    reader: Reader<'a>,
}

/// A list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vector<'a> {
    reader: Reader<'a>,
}

/// An entry of a dictionary.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The key.
    pub key: &'a str,
    /// File offset of the value.
    pub at: u64,
    /// The value.
    pub value: Value<'a>,
}

/// A value and where it is.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// File offset of the value.
    pub at: u64,
    /// The value.
    pub value: Value<'a>,
}

/// An entry whose value is not yet decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawEntry<'a> {
    pub(crate) key: &'a str,
    /// Offset of the key (of the entry when it has none).
    pub(crate) key_at: u64,
    pub(crate) value: Reader<'a>,
}

impl<'a> Dictionary<'a> {
    pub(crate) fn new(reader: Reader<'a>) -> Self {
        Self { reader }
    }

    /// File offset of its first byte.
    pub fn at(&self) -> u64 {
        self.reader.at()
    }

    /// Has it no entries?
    pub fn is_empty(&self) -> bool {
        self.raw().next().is_none()
    }

    /// The number of entries; counts them.
    pub fn len(&self) -> usize {
        self.raw().count()
    }

    /// The entries in the file's order.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        self.raw().map_while(|entry| {
            let entry = entry.ok()?;
            Some(Entry { key: entry.key, at: entry.value.at(), value: Value::decode(entry.value).ok()? })
        })
    }

    /// The keys in the file's order.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.raw().map_while(|entry| entry.ok().map(|e| e.key))
    }

    /// The value of a key; reads past the others.
    pub fn get(&self, key: &str) -> Option<Item<'a>> {
        let entry = self.raw().map_while(Result::ok).find(|e| e.key == key)?;
        Some(Item { at: entry.value.at(), value: Value::decode(entry.value).ok()? })
    }

    /// The entries with their values undecoded; after an error, nothing more.
    #[inline]
    pub(crate) fn raw(&self) -> impl Iterator<Item = Result<RawEntry<'a>, Error>> + use<'a> {
        let mut reader = Some(self.reader);
        let mut versions = 0;
        std::iter::from_fn(move || {
            let result = next_entry(reader.as_mut()?, &mut versions);
            if result.is_err() {
                reader = None;
            }
            result.transpose()
        })
    }
}

impl<'a> Vector<'a> {
    pub(crate) fn new(reader: Reader<'a>) -> Self {
        Self { reader }
    }

    /// File offset of its first byte.
    pub fn at(&self) -> u64 {
        self.reader.at()
    }

    /// Is it empty?
    pub fn is_empty(&self) -> bool {
        self.raw().next().is_none()
    }

    /// The number of values; counts them.
    pub fn len(&self) -> usize {
        self.raw().count()
    }

    /// The values.
    pub fn iter(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        self.raw().map_while(|item| {
            let item = item.ok()?;
            Some(Item { at: item.at(), value: Value::decode(item).ok()? })
        })
    }

    /// The values undecoded; after an error, nothing more.
    #[inline]
    pub(crate) fn raw(&self) -> impl Iterator<Item = Result<Reader<'a>, Error>> + use<'a> {
        let mut reader = Some(self.reader);
        std::iter::from_fn(move || {
            let result = next_item(reader.as_mut()?);
            if result.is_err() {
                reader = None;
            }
            result.transpose()
        })
    }

    /// An upper bound on the number of records of at least `smallest` bytes, for reserving memory.
    pub(crate) fn capacity(&self, smallest: usize) -> usize {
        self.len().min(self.reader.bytes().len().checked_div(smallest).unwrap_or(0).saturating_add(1))
    }
}

#[inline]
fn next_item<'a>(reader: &mut Reader<'a>) -> Result<Option<Reader<'a>>, Error> {
    while let Some(field) = reader.field()? {
        if field.number == 1 {
            return field.message("value").map(Some);
        }
    }
    Ok(None)
}

#[inline]
fn next_entry<'a>(reader: &mut Reader<'a>, versions: &mut u8) -> Result<Option<RawEntry<'a>>, Error> {
    while let Some(field) = reader.field()? {
        match field.number {
            1 => {
                field.varint("version")?;
                if std::mem::replace(versions, 1) > 0 {
                    return Err(field.repeated("version"));
                }
            }
            2 => {
                let message = field.message("data")?;
                return usual_entry(message).map_or_else(|| entry(message), Ok).map(Some);
            }
            _ => {}
        }
    }
    Ok(None)
}

/// Fast path for an entry as CNTK writes it: a short key, then a value. `None` for anything else, valid or not, which
/// the general decoder reads.
#[inline]
fn usual_entry(reader: Reader<'_>) -> Option<RawEntry<'_>> {
    let [0x0a, length @ 0..0x80, rest @ ..] = reader.bytes() else { return None };
    let (key, rest) = rest.split_at_checked(usize::from(*length))?;
    let key = std::str::from_utf8(key).ok().filter(|key| !key.contains('\0'))?;
    let value = Reader::new(rest, reader.end().saturating_sub(rest.len() as u64)).sole_message(2)?;
    Some(RawEntry { key, key_at: reader.at(), value })
}

fn entry(mut reader: Reader<'_>) -> Result<RawEntry<'_>, Error> {
    let at = reader.at();
    let (mut key, mut value) = (None, None);
    let fail = |error: Error, key: Option<(&str, u64)>| match key {
        Some((key, _)) => error.in_key(key),
        None => error,
    };
    while let Some(field) = reader.field().map_err(|e| fail(e, key))? {
        match field.number {
            1 => field.once(&mut key, (field.string("key")?, field.at), "key")?,
            2 => {
                let message = field.message("value");
                message.and_then(|m| field.once(&mut value, m, "value")).map_err(|e| fail(e, key))?;
            }
            _ => {}
        }
    }
    let (key, key_at) = key.unwrap_or(("", at));
    if key.contains('\0') {
        return Err(Error::new(ErrorKind::NulInKey, key_at).in_key(key));
    }
    Ok(RawEntry { key, key_at, value: value.unwrap_or(Reader::new(&[], reader.end())) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_ends_where_the_long_one_does() {
        let usual: &[&[u8]] = &[b"\x0a\x01k\x12\x02\x08\x02", b"\x0a\x00\x12\x00"];
        let unusual: &[&[u8]] = &[
            b"",
            b"\x0a\x01k",
            b"\x12\x00\x0a\x01k",
            b"\x0a\x01\x00\x12\x00",
            b"\x0a\x01\xff\x12\x00",
            b"\x0a\x01k\x12\x05",
        ];
        for (bytes, is_usual) in usual.iter().map(|b| (b, true)).chain(unusual.iter().map(|b| (b, false))) {
            let reader = Reader::new(bytes, 7);
            let short = usual_entry(reader);
            assert_eq!(short.is_some(), is_usual, "{bytes:?}");
            if let Some(short) = short {
                assert_eq!(format!("{:?}", Ok::<_, Error>(short)), format!("{:?}", entry(reader)), "{bytes:?}");
            }
        }
    }
}
