//! `convert --to onnx`: writes an ONNX model.

use super::{Args, Ended, Opened, destination::Destination, expected, hash, refused, summary, test_data::TestData};
use crate::{
    args::Format, exit, file_sink::FileSink, input::Input, outcome::Outcome, progress::Progress, terminal::Terminal,
};
use anyhow::{Result, anyhow, bail};
use cntk_parser::model::ValidatedModel;
use cntk2onnx::{Conversion, Options, Refusal, SOURCE_SHA256, WriteError};
use std::{
    io::{self, IsTerminal},
    mem::ManuallyDrop,
    thread,
};

pub(super) fn open(args: &Args, input: &Input) -> Result<Opened> {
    let destination = Destination::open(args, input)?;
    if destination.model.is_none() && io::stdout().is_terminal() {
        bail!("not writing a binary model to the terminal: redirect standard output, or name a file with -o");
    }
    if destination.model.is_none() && args.format == Format::Json {
        bail!("the model and --format json cannot both go to standard output: name a file with -o");
    }
    let test_data = if args.test_data { Some(TestData::create(&destination, args.force)?) } else { None };
    Ok(Opened::Onnx(destination, test_data))
}

pub fn finish(
    terminal: &Terminal,
    args: &Args,
    input: &Input,
    model: &ValidatedModel<'_>,
    options: &Options,
    conversion: Result<Conversion, Refusal>,
    (mut destination, test_data): (Destination, Option<TestData>),
) -> Result<Ended> {
    let conversion = match conversion {
        Ok(conversion) => ManuallyDrop::new(conversion),
        Err(refusal) => return Ok(refused(terminal, input, &refusal)),
    };
    terminal.trace(format_args!("converted: {} nodes", conversion.summary.nodes));

    let job = Job { terminal, input, args };
    let written = match job.write(&conversion, &mut destination)? {
        Ok(written) => written,
        Err(outcome) => return Ok(outcome.into()),
    };
    input.unchanged()?;
    summary::before(terminal, &written, &conversion.summary);
    let mut expected = None;
    if let Some(test_data) = test_data {
        match cntk2onnx::test_data(model, options, &conversion.summary) {
            Ok(files) => {
                expected = Some(files.iter().filter(|(name, _)| name.starts_with("output_")).count());
                test_data.finish(terminal, files)?;
            }
            Err(why) => {
                expected = Some(0);
                terminal.warning(format_args!("no test data: {why}"));
            }
        }
    }
    let path = destination.path.clone();
    destination.finish(written.side.is_some())?;
    summary::after(terminal, &path, &written);
    let entries = summary::json(input, &path, &written, &conversion.summary);
    Ok(Ended { expected, ..Ended::done(conversion.summary.dropped.clone(), entries) })
}

struct Job<'a> {
    terminal: &'a Terminal,
    input: &'a Input,
    args: &'a Args,
}

impl Job<'_> {
    /// Writes the files. The inner error is an outcome that has been reported.
    fn write(
        &self,
        conversion: &Conversion,
        destination: &mut Destination,
    ) -> Result<Result<summary::Written, Outcome>> {
        let (input, terminal) = (self.input, self.terminal);
        let weights = destination.weights();
        let mut writer = match conversion.writer(input, weights) {
            Ok(writer) => ManuallyDrop::new(writer),
            Err(error @ (WriteError::TooLarge { .. } | WriteError::Inconsistent { .. })) => {
                let message = format!("{}: {error}", input.name);
                terminal.error(&message);
                return Ok(Err(Outcome::failed(exit::REFUSED, &message)));
            }
            Err(error) => return Err(self.context(error, destination)),
        };
        let side = writer.side_length();
        if side.is_some() && destination.model.is_none() {
            let message = format!("{}: the result passes 2 GiB and cannot be one stream", input.name);
            terminal.error(&message);
            terminal.hint("name a file with -o: the weights then go beside it");
            return Ok(Err(Outcome::failed(exit::REFUSED, &message)));
        }
        let source = input.mapped();
        let mut progress = Progress::new(terminal, writer.model_length() + side.unwrap_or(0));

        let (length, digest) = thread::scope(|scope| -> Result<(u64, Option<[u8; 32]>)> {
            let hashing = self.args.hash().then(|| scope.spawn(|| hash::whole(input)));
            if let (Some(length), Some(output)) = (side, &destination.side) {
                let mut sink = FileSink::new(output.file(), source);
                writer
                    .write_side(&mut sink, &mut |done| progress.update(done.min(length)))
                    .map_err(|e| self.context(e, destination))?;
            }
            let mut digest = None;
            let late = || {
                let Some(thread) = hashing else { return Ok(vec![]) };
                let sum = thread.join().unwrap_or_else(|_| Err(io::Error::other("the hashing thread stopped")));
                let sum = sum.map_err(WriteError::Source)?;
                digest = Some(sum);
                Ok(vec![(SOURCE_SHA256.to_owned(), hash::hex(&sum))])
            };
            let before = side.unwrap_or(0);
            let mut progress = |done| progress.update(before + done);
            let written = match &destination.model {
                Some(output) => writer.write_model(&mut FileSink::new(output.file(), source), &mut progress, late),
                None => writer.write_model(&mut FileSink::new(io::stdout().lock(), source), &mut progress, late),
            };
            let length = written.map_err(|e| self.context(e, destination))?;
            Ok((length, digest))
        })?;
        if let Some(outcome) = digest.and_then(|found| expected(terminal, self.args, input, &found)) {
            return Ok(Err(outcome));
        }
        let in_place = writer.in_place_length();
        Ok(Ok(summary::Written { opset: self.args.opset, model: length, side, in_place, digest }))
    }

    /// Names the file that the I/O error is about.
    fn context(&self, error: WriteError, destination: &Destination) -> anyhow::Error {
        match error {
            WriteError::Sink(e) => anyhow!(e).context(destination.path.display().to_string()),
            WriteError::Source(e) => anyhow!(e).context(self.input.name.clone()),
            other => anyhow!(other),
        }
    }
}
