//! Converts every model below a folder to ONNX in this one process: `cargo run --example folder -- models converted`.

use cntk2onnx::{Converter, Error};
use std::{error, fs, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(models), Some(converted)) = (args.next(), args.next()) else {
        eprintln!("usage: folder MODELS CONVERTED");
        return ExitCode::from(2);
    };
    match convert(&Converter::default(), Path::new(&models), Path::new(&converted)) {
        Ok(count) => {
            println!("{count} models converted");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn convert(converter: &Converter, from: &Path, to: &Path) -> Result<u64, Box<dyn error::Error>> {
    fs::create_dir_all(to)?;
    let mut count = 0;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            count += convert(converter, &path, &target)?;
            continue;
        }
        match converter.to_onnx(&fs::read(&path)?) {
            Ok(onnx) => {
                fs::write(target.with_extension("onnx"), onnx)?;
                count += 1;
            }
            Err(error @ (Error::Invalid(_) | Error::Unsupported(_))) => println!("{}: {error}", path.display()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(count)
}
