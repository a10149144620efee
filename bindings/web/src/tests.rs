//! Skimmed files against whole ones: the same report, the same downloads.

use crate::{Arena, Loaded, Parts, Settings, Target, arena::tests::File, skim};
use std::{fs, path::PathBuf};

/// So small that the tensors of every model of the corpus are left out.
const BLOCK: usize = 8;
const LARGE: u64 = 16;

fn corpus(folder: &str) -> Vec<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../corpus").join(folder);
    let mut files: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        path.extension().is_some_and(|e| ["model", "dnn", "bin", "cmf"].iter().any(|known| e == *known))
    });
    files.sort();
    assert!(files.len() > 20, "{folder}: {} files", files.len());
    files
}

fn settings() -> Settings {
    Settings::parse("").unwrap()
}

fn whole(file: &File) -> Loaded {
    Loaded::open(file, file.bytes.len() as u64, "a.model".to_owned(), settings()).unwrap()
}

fn skimmed(file: &File) -> (u64, Loaded) {
    let mut arena = Arena::new(file.bytes.len() as u64, BLOCK).unwrap();
    skim::skim(&mut arena, file, LARGE).unwrap();
    (arena.read(), Loaded::of(arena, file, "a.model".to_owned(), settings()).unwrap())
}

/// The first 16 MiB of tensor data are always read, and a report tells the statistics of weights only where all are known: what
/// is compared is the part above them.
#[test]
fn reports_are_the_same() {
    for folder in ["zoo", "v1", "hostile"] {
        let mut left_out = 0;
        for path in corpus(folder).iter().step_by(3) {
            let file = File::new(fs::read(path).unwrap());
            let (read, mut loaded) = skimmed(&file);
            left_out += usize::from(read < file.bytes.len() as u64);
            assert_eq!(loaded.report(), whole(&file).report(), "{}", path.display());
        }
        assert!(left_out > 9, "{folder}: only {left_out} files were read in part");
    }
}

#[derive(Default)]
struct Files(Vec<(String, Vec<u8>)>, Vec<u8>);

impl Parts for Files {
    fn file(&mut self, name: &str) {
        self.0.push((name.to_owned(), vec![]));
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.0.last_mut().unwrap().1.extend_from_slice(bytes);
        Ok(())
    }

    fn copy(&mut self, offset: u64, length: u64) -> Result<(), String> {
        let bytes = self.1[offset as usize..(offset + length) as usize].to_owned();
        self.write(&bytes)
    }
}

#[test]
fn downloads_are_what_the_library_makes() {
    for path in corpus("zoo").into_iter().filter(|path| !path.ends_with("checkpoint_adam.model.ckp")).take(12) {
        let file = File::new(fs::read(&path).unwrap());
        let (_, mut loaded) = skimmed(&file);
        let mut parts = Files(vec![], file.bytes.clone());
        loaded.download(&file, Target::Onnx, &mut parts).unwrap();
        let onnx = cntk2onnx::Converter::default().to_onnx(&file.bytes).unwrap();
        assert!(parts.0 == [("model.onnx".to_owned(), onnx)], "{}", path.display());
        assert!(loaded.complete());
    }
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../corpus/zoo/alexnet_small.model");
    let file = File::new(fs::read(path).unwrap());
    let converter =
        cntk2onnx::Converter::default().pytorch_options(cntk2onnx::pytorch::PyTorchOptions::default().name("a"));
    let mut parts = Files(vec![], file.bytes.clone());
    whole(&file).download(&file, Target::PyTorch, &mut parts).unwrap();
    whole(&file).download(&file, Target::Safetensors, &mut parts).unwrap();
    let weights = ("model.safetensors".to_owned(), converter.to_safetensors(&file.bytes).unwrap());
    let package = converter.to_pytorch(&file.bytes).unwrap();
    let package: Vec<_> = package.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).chain([weights]).collect();
    assert!(parts.0 == package);
}
