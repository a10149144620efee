//! The `.npz` format: a ZIP archive of `.npy` files, stored or deflated.

use super::{Array, RecordError, npy, wrong};
use flate2::bufread::DeflateDecoder;
use rawzip::{
    CompressionMethod, ZipArchive, ZipArchiveEntryWayfinder, ZipArchiveWriter, ZipSliceArchive,
    path::{EntryPath, ZipFilePath},
};
use std::{collections::BTreeMap, io};

/// The most arrays in a record.
const MOST: usize = 10_000;

pub(super) struct Npz<'r> {
    archive: ZipSliceArchive<&'r [u8]>,
    entries: BTreeMap<String, (ZipArchiveEntryWayfinder, CompressionMethod)>,
}

impl<'r> Npz<'r> {
    pub(super) fn open(bytes: &'r [u8]) -> Result<Self, RecordError> {
        let unsound = |e: rawzip::Error| wrong(format!("is no sound .npz file: {e}"));
        let archive = ZipArchive::from_slice(bytes).map_err(unsound)?;
        let mut entries = BTreeMap::new();
        let mut listed = archive.entries();
        while let Some(entry) = listed.next_entry().map_err(unsound)? {
            let path = entry.file_path();
            let name = std::str::from_utf8(path.as_bytes()).ok().and_then(|n| n.strip_suffix(".npy"));
            let Some(name) = name else { return Err(wrong("is a zip archive of other things than .npy files")) };
            if entries.len() == MOST {
                return Err(wrong(format!("holds more than {MOST} arrays")));
            }
            if entries.insert(name.to_owned(), (entry.wayfinder(), entry.compression_method())).is_some() {
                return Err(wrong(format!("holds two arrays called {name}")));
            }
        }
        Ok(Self { archive, entries })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    pub(super) fn read(&self, name: &str, left: u64) -> Result<Array, RecordError> {
        let Some((wayfinder, method)) = self.entries.get(name) else { return Err(wrong("is not there")) };
        let entry = self.archive.get_entry(*wayfinder).map_err(|e| wrong(e.to_string()))?;
        let data = entry.data();
        match *method {
            CompressionMethod::STORE => npy::read(entry.verifying_reader(data), left),
            CompressionMethod::DEFLATE => npy::read(entry.verifying_reader(DeflateDecoder::new(data)), left),
            _ => Err(wrong("is packed in another way than NumPy's")),
        }
    }
}

/// Writes arrays to a `.npz` file, uncompressed.
pub(crate) fn write(arrays: &[(String, Array)]) -> io::Result<Vec<u8>> {
    let failed = |e: rawzip::Error| io::Error::other(e.to_string());
    let mut out = Vec::new();
    let mut archive = ZipArchiveWriter::new(&mut out);
    for (name, array) in arrays {
        let builder = archive.new_file(entry_path(format!("{name}.npy"))?).compression_method(CompressionMethod::STORE);
        let (mut entry, config) = builder.start().map_err(failed)?;
        let mut writer = config.wrap(&mut entry);
        npy::write(array, &mut writer)?;
        let (_, descriptor) = writer.finish().map_err(failed)?;
        entry.finish(descriptor).map_err(failed)?;
    }
    archive.finish().map_err(failed)?;
    Ok(out)
}

/// The path of an entry, which must equal `path`: names are not paths of a file system, so they are not normalized.
fn entry_path(path: String) -> io::Result<EntryPath<'static>> {
    if path.is_ascii() {
        return Ok(EntryPath::verbatim(path.into_bytes()));
    }
    if ZipFilePath::from_str(&path).as_str() != path {
        let text = format!("an archive cannot hold the name {path:?}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    Ok(EntryPath::conformant(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::ElemType;
    use std::io::Write;

    const HEADER: &str = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }\n";

    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), data].concat()
    }

    fn zip(files: &[(&str, Vec<u8>)], deflate: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let mut archive = ZipArchiveWriter::new(&mut out);
        for (name, bytes) in files {
            let method = if deflate { CompressionMethod::DEFLATE } else { CompressionMethod::STORE };
            let (mut entry, config) = archive.new_file(name).compression_method(method).start().unwrap();
            let descriptor = if deflate {
                let packer = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::best());
                let mut writer = config.wrap(packer);
                writer.write_all(bytes).unwrap();
                let (packer, descriptor) = writer.finish().unwrap();
                packer.finish().unwrap();
                descriptor
            } else {
                let mut writer = config.wrap(&mut entry);
                writer.write_all(bytes).unwrap();
                writer.finish().unwrap().1
            };
            entry.finish(descriptor).unwrap();
        }
        archive.finish().unwrap();
        out
    }

    #[test]
    fn stored_and_deflated() {
        for deflate in [false, true] {
            let bytes = zip(&[("a/b.npy", npy(HEADER, &[7; 8]))], deflate);
            let npz = Npz::open(&bytes).unwrap();
            assert_eq!(npz.names().collect::<Vec<_>>(), ["a/b"]);
            let array = npz.read("a/b", 8).unwrap();
            assert_eq!(array, Array { elem: ElemType::Float, dims: vec![2, 1], bytes: vec![7; 8] });
            assert!(npz.read("a/b", 7).unwrap_err().to_string().contains("more than"));
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let array = |elem, n: u64, size: usize| Array { elem, dims: vec![n, 2], bytes: vec![9; size * 2 * n as usize] };
        let arrays = [
            ("x".to_owned(), array(ElemType::Float16, 1, 2)),
            ("y/z".to_owned(), array(ElemType::Double, 3, 8)),
            (
                "x_lengths".to_owned(),
                Array { elem: ElemType::Int64, dims: vec![1], bytes: vec![2, 0, 0, 0, 0, 0, 0, 0] },
            ),
            ("s".to_owned(), Array { elem: ElemType::Float, dims: vec![], bytes: vec![0; 4] }),
            ("data:0".to_owned(), array(ElemType::Float, 1, 4)),
            ("../up//there".to_owned(), array(ElemType::Float, 2, 4)),
            ("café".to_owned(), array(ElemType::Float, 3, 4)),
        ];
        let bytes = write(&arrays).unwrap();
        let npz = Npz::open(&bytes).unwrap();
        for (name, array) in &arrays {
            assert_eq!(npz.read(name, 1000).as_ref(), Ok(array));
        }
    }

    #[test]
    fn damage_is_noticed() {
        let sound = zip(&[("x.npy", npy(HEADER, &[7; 8]))], false);
        for at in 0..sound.len() {
            let mut bytes = sound.clone();
            bytes[at] ^= 0x55;
            // Damaged files never cause a panic, and the checksum detects changed data.
            let read = Npz::open(&bytes).and_then(|npz| npz.read("x", 1 << 10));
            assert!(read.is_err() || read.unwrap().bytes == [7; 8], "byte {at}");
            let _ = Npz::open(&sound[..at]).and_then(|npz| npz.read("x", 1 << 10));
        }
        let short = zip(&[("x.npy", npy(HEADER, &[7; 4]))], true);
        assert!(Npz::open(&short).unwrap().read("x", 100).unwrap_err().to_string().contains("ends early"));
        let long = zip(&[("x.npy", npy(HEADER, &[7; 12]))], true);
        assert!(Npz::open(&long).unwrap().read("x", 100).unwrap_err().to_string().contains("goes on"));
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846976,), }\n";
        let bytes = zip(&[("x.npy", npy(header, &vec![0; 1 << 20]))], true);
        assert!(Npz::open(&bytes).unwrap().read("x", super::super::LARGEST).is_err());
        let header = "{'descr': '<f8', 'fortran_order': False, 'shape': (9, 1000000, 1000000, 1000000, 1000), }\n";
        let bytes = zip(&[("x.npy", npy(header, &[]))], true);
        assert!(Npz::open(&bytes).unwrap().read("x", super::super::LARGEST).is_err());
    }

    #[test]
    fn other_archives() {
        let bytes = zip(&[("readme.txt", vec![])], false);
        assert!(Npz::open(&bytes).err().unwrap().to_string().contains("other things"));
        let bytes = zip(&[("x.npy", vec![]), ("x.npy", vec![])], false);
        assert!(Npz::open(&bytes).err().unwrap().to_string().contains("two arrays"));
    }
}
