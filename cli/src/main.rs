//! The program.

fn main() -> std::process::ExitCode {
    cntk2onnx_cli::run(std::env::args_os()).into()
}
