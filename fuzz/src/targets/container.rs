//! Container: the layout is known from the first bytes, and every byte is structure or tensor, once.

use super::check;
use cntk_parser::model::{Container, ElementStorage};
use cntk_parser::{Limits, ModelFile, parse};

/// Reads `data` as it is, and as the metadata and tail of the over-2-GB layout.
pub fn run(data: &[u8]) {
    whole(data);
    // The last two bytes say where the tail begins, so that the fuzzer need not find a length that fits.
    if let Some((body, cut)) = data.split_last_chunk::<2>() {
        let metadata = body.len().saturating_sub(usize::from(u16::from_le_bytes(*cut)));
        let mut file = b"ktnc".to_vec();
        file.extend_from_slice(&(metadata as u32).to_le_bytes());
        file.extend_from_slice(body);
        whole(&file);
    }
}

fn whole(file: &[u8]) {
    let end = file.len() as u64;
    let source = ModelFile::new(file);
    let model = match parse(&source, &Limits::default()) {
        Ok(model) => model,
        Err(error) => return check::error(&error, end),
    };
    let mut at = 0;
    for range in model.tensor_ranges() {
        assert!(at <= range.start && range.start < range.end && range.end <= end, "{range:?}");
        at = range.end;
    }
    let tensors: u64 = model.tensor_ranges().iter().map(|r| r.end - r.start).sum();
    let structure: usize = model.structure().map(<[u8]>::len).sum();
    assert_eq!(structure as u64 + tensors, end);
    match &model.container {
        Container::Nodes { .. } => assert!(file.starts_with(b"B\0C\0N\0")),
        Container::Plain => assert!(!file.starts_with(b"ktnc")),
        Container::LargeLayout { metadata, tail } => {
            assert!(metadata.start == 8 && metadata.end == tail.start && tail.end == end);
            let bytes = |r: &std::ops::Range<u64>| if r.start >= tail.start { r.end - r.start } else { 0 };
            assert_eq!(
                model.tensor_ranges().iter().map(bytes).sum::<u64>(),
                tail.end - tail.start,
                "the tail is covered"
            );
        }
    }
    for array in model.variables.iter().filter_map(|v| v.value.as_ref()) {
        assert_ne!(array.elements, ElementStorage::Absent, "a tensor without elements");
        if let (ElementStorage::Contiguous(bytes), Some(range)) = (&array.elements, &array.range) {
            assert_eq!(*bytes, &file[range.start as usize..range.end as usize]);
        }
    }
}
