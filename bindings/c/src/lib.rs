//! The C interface: bytes in, findings or ONNX bytes out. `include/cntk2onnx.h` is generated from this file.
//!
//! No panic crosses the boundary, nothing is printed, and every function may be called from any thread. A null handle is
//! accepted wherever a handle is, and gives nothing.
#![allow(unsafe_code, reason = "a C interface hands out and takes raw pointers; the reasons are stated at each use")]
#![deny(unsafe_op_in_unsafe_fn)]

use cntk_parser::{Finding, Limits, ModelFile, Severity, ValidateOptions};
use cntk2onnx::{Converter, Error, Options};
use std::{
    cell::RefCell,
    ffi::{CString, c_char},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr, slice,
};

/// How a call ended; the numbers are the program's exit codes.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cntk2onnxStatus {
    /// Done.
    Ok = 0,
    /// The file is malformed, unsafe, over a limit, or not a CNTK model.
    Invalid = 1,
    /// A null pointer, a value out of range, or a defect of this library.
    Usage = 2,
    /// The model is valid, but cannot be converted as asked.
    Unsupported = 3,
}

/// How bad a finding is.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cntk2onnxSeverity {
    /// Worth knowing.
    Note = 0,
    /// Suspicious; the model can be used.
    Warning = 1,
    /// The model must not be used.
    Error = 2,
}

/// What a file may ask for and how it is converted. `cntk2onnx_options_default` fills it; change what you need.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Cntk2onnxOptions {
    /// Bytes that parsing may allocate.
    pub max_memory: u64,
    /// Function records.
    pub max_functions: u64,
    /// Variable records.
    pub max_variables: u64,
    /// Findings kept.
    pub max_findings: u32,
    /// ONNX opset, 13 to 21.
    pub opset: u32,
    /// Accept models with user-defined functions; nothing of them is ever run.
    pub allow_udf: bool,
    /// Look at every weight for NaN, infinities and extremes, not only at the first 16 MiB.
    pub scan_weights: bool,
}

/// One finding. The strings are UTF-8 and live as long as the report.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Cntk2onnxFinding {
    /// How bad it is.
    pub severity: Cntk2onnxSeverity,
    /// Byte of the file.
    pub offset: u64,
    /// Stable id of the rule.
    pub rule: *const c_char,
    /// Record in the file; may be empty.
    pub path: *const c_char,
    /// One sentence.
    pub message: *const c_char,
}

/// What validation found. Free it with `cntk2onnx_report_free`.
pub struct Cntk2onnxReport {
    ok: bool,
    findings: Vec<Held>,
}

/// A converted model. Free it with `cntk2onnx_onnx_free`.
pub struct Cntk2onnxOnnx {
    bytes: Vec<u8>,
}

struct Held {
    severity: Cntk2onnxSeverity,
    offset: u64,
    rule: CString,
    path: CString,
    message: CString,
}

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::new(CString::default());
}

/// The version of the library, such as "0.2.0".
#[unsafe(no_mangle)]
pub extern "C" fn cntk2onnx_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Why the last call on this thread did not return CNTK2ONNX_STATUS_OK; empty if it did. Valid until the next call on
/// this thread.
#[unsafe(no_mangle)]
pub extern "C" fn cntk2onnx_last_error() -> *const c_char {
    LAST_ERROR.with(|e| e.borrow().as_ptr())
}

/// Sets every option to its default.
///
/// # Safety
///
/// `options` is null or points to memory for the structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cntk2onnx_options_default(options: *mut Cntk2onnxOptions) {
    let limits = Limits::default();
    let default = Cntk2onnxOptions {
        max_memory: limits.memory,
        max_functions: limits.functions,
        max_variables: limits.variables,
        max_findings: limits.findings,
        opset: 17,
        allow_udf: false,
        scan_weights: false,
    };
    if !options.is_null() {
        // SAFETY: the caller says that there is memory for it.
        unsafe { options.write(default) };
    }
}

/// Checks a model. `report` is set whenever the status is CNTK2ONNX_STATUS_OK or CNTK2ONNX_STATUS_INVALID.
///
/// # Safety
///
/// `data` points to `length` bytes that nobody changes during the call, `options` is null or points to options, and
/// `report` points to memory for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cntk2onnx_validate(
    data: *const u8,
    length: usize,
    options: *const Cntk2onnxOptions,
    report: *mut *mut Cntk2onnxReport,
) -> Cntk2onnxStatus {
    if report.is_null() {
        return fail(Cntk2onnxStatus::Usage, "report is null");
    }
    // SAFETY: the caller says that it points to memory for a pointer, and that the others are as described.
    let (input, options) = unsafe {
        report.write(ptr::null_mut());
        (bytes(data, length), options.as_ref())
    };
    guarded(|| {
        let file = ModelFile::new(input?);
        let done = validated(&file, options);
        let (found, status) = match done {
            Ok((findings, model)) => {
                let status = if model.is_some() { Cntk2onnxStatus::Ok } else { Cntk2onnxStatus::Invalid };
                (findings, status)
            }
            Err(error) => (vec![Finding::from(&error)], Cntk2onnxStatus::Invalid),
        };
        let first = found.iter().find(|f| f.severity == Severity::Error).map(Finding::to_string).unwrap_or_default();
        let made =
            Cntk2onnxReport { ok: status == Cntk2onnxStatus::Ok, findings: found.iter().map(Held::from).collect() };
        // SAFETY: see above.
        unsafe { report.write(Box::into_raw(Box::new(made))) };
        if status == Cntk2onnxStatus::Ok { Ok(()) } else { Err((status, first)) }
    })
}

/// May the model be used?
///
/// # Safety
///
/// `report` is null or comes from `cntk2onnx_validate` and has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cntk2onnx_report_ok(report: *const Cntk2onnxReport) -> bool {
    // SAFETY: the caller says so.
    unsafe { report.as_ref() }.is_some_and(|r| r.ok)
}

/// How many findings there are.
///
/// # Safety
///
/// `report` is null or comes from `cntk2onnx_validate` and has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cntk2onnx_report_count(report: *const Cntk2onnxReport) -> usize {
    // SAFETY: the caller says so.
    unsafe { report.as_ref() }.map_or(0, |r| r.findings.len())
}

/// Reads the finding at `index`; false, with `finding` untouched, when there is none.
///
/// # Safety
///
/// `report` is null or comes from `cntk2onnx_validate` and has not been freed; `finding` is null or points to memory for
/// the structure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cntk2onnx_report_finding(
    report: *const Cntk2onnxReport,
    index: usize,
    finding: *mut Cntk2onnxFinding,
) -> bool {
    // SAFETY: the caller says so.
    let Some(held) = unsafe { report.as_ref() }.and_then(|r| r.findings.get(index)) else { return false };
    if finding.is_null() {
        return false;
    }
    let found = Cntk2onnxFinding {
        severity: held.severity,
        offset: held.offset,
        rule: held.rule.as_ptr(),
        path: held.path.as_ptr(),
        message: held.message.as_ptr(),
    };
    // SAFETY: the caller says that there is memory for it.
    unsafe { finding.write(found) };
    true
}

/// Frees a report; null is accepted.
///
/// # Safety
///
/// `report` is null or comes from `cntk2onnx_validate` and has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cntk2onnx_report_free(report: *mut Cntk2onnxReport) {
    if !report.is_null() {
        // SAFETY: it was made by `Box::into_raw`, and is freed once, as the caller says.
        drop(unsafe { Box::from_raw(report) });
    }
}

/// Converts the inference outputs of a model to ONNX, weights embedded. `onnx` is set when the status is
/// CNTK2ONNX_STATUS_OK, and null otherwise; `cntk2onnx_last_error` then has one line for each reason.
///
/// # Safety
///
/// `data` points to `length` bytes that nobody changes during the call, `options` is null or points to options, and
/// `onnx` points to memory for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cntk2onnx_convert(
    data: *const u8,
    length: usize,
    options: *const Cntk2onnxOptions,
    onnx: *mut *mut Cntk2onnxOnnx,
) -> Cntk2onnxStatus {
    if onnx.is_null() {
        return fail(Cntk2onnxStatus::Usage, "onnx is null");
    }
    // SAFETY: the caller says that it points to memory for a pointer, and that the others are as described.
    let (input, options) = unsafe {
        onnx.write(ptr::null_mut());
        (bytes(data, length), options.as_ref())
    };
    guarded(|| {
        let bytes = converted(input?, options)?;
        // SAFETY: see above.
        unsafe { onnx.write(Box::into_raw(Box::new(Cntk2onnxOnnx { bytes }))) };
        Ok(())
    })
}

/// The first byte of a converted model; null for a null handle.
///
/// # Safety
///
/// `onnx` is null or comes from `cntk2onnx_convert` and has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cntk2onnx_onnx_data(onnx: *const Cntk2onnxOnnx) -> *const u8 {
    // SAFETY: the caller says so.
    unsafe { onnx.as_ref() }.map_or(ptr::null(), |o| o.bytes.as_ptr())
}

/// How many bytes a converted model has.
///
/// # Safety
///
/// `onnx` is null or comes from `cntk2onnx_convert` and has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cntk2onnx_onnx_length(onnx: *const Cntk2onnxOnnx) -> usize {
    // SAFETY: the caller says so.
    unsafe { onnx.as_ref() }.map_or(0, |o| o.bytes.len())
}

/// Frees a converted model; null is accepted.
///
/// # Safety
///
/// `onnx` is null or comes from `cntk2onnx_convert` and has not been freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cntk2onnx_onnx_free(onnx: *mut Cntk2onnxOnnx) {
    if !onnx.is_null() {
        // SAFETY: it was made by `Box::into_raw`, and is freed once, as the caller says.
        drop(unsafe { Box::from_raw(onnx) });
    }
}

type Failure = (Cntk2onnxStatus, String);

/// Bytes of the caller.
///
/// # Safety
///
/// `data` is null or points to `length` bytes that nobody changes for as long as they are used.
unsafe fn bytes<'a>(data: *const u8, length: usize) -> Result<&'a [u8], Failure> {
    match (data.is_null(), isize::try_from(length)) {
        (true, Ok(0)) => Ok(&[]),
        (true, _) => Err((Cntk2onnxStatus::Usage, "data is null".to_owned())),
        (_, Err(_)) => Err((Cntk2onnxStatus::Usage, "length is larger than any object".to_owned())),
        // SAFETY: the caller says so, and the length is within what a slice may have.
        (false, Ok(_)) => Ok(unsafe { slice::from_raw_parts(data, length) }),
    }
}

/// Runs a call: errors are remembered for [`cntk2onnx_last_error`], and a panic, which is a defect, is one of them.
fn guarded(call: impl FnOnce() -> Result<(), Failure>) -> Cntk2onnxStatus {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => {
            remember("");
            Cntk2onnxStatus::Ok
        }
        Ok(Err((status, message))) => fail(status, &message),
        Err(_) => fail(Cntk2onnxStatus::Usage, "internal: this is a defect of cntk2onnx; please report it"),
    }
}

fn fail(status: Cntk2onnxStatus, message: &str) -> Cntk2onnxStatus {
    remember(message);
    status
}

fn remember(message: &str) {
    LAST_ERROR.with(|e| *e.borrow_mut() = text(message));
}

/// Text without its NUL characters.
fn text(text: &str) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

fn limits(options: Option<&Cntk2onnxOptions>) -> Limits {
    options.map_or_else(Limits::default, |o| Limits {
        memory: o.max_memory,
        functions: o.max_functions,
        variables: o.max_variables,
        findings: o.max_findings,
        ..Limits::default()
    })
}

type Validated<'a> = (Vec<Finding>, Option<cntk_parser::model::ValidatedModel<'a>>);

fn validated<'a>(
    file: &'a ModelFile<'_>,
    options: Option<&Cntk2onnxOptions>,
) -> Result<Validated<'a>, cntk_parser::Error> {
    let model = cntk_parser::parse(file, &limits(options))?;
    let done = cntk_parser::validate(model, &validation(options));
    Ok((done.findings, done.model))
}

fn validation(options: Option<&Cntk2onnxOptions>) -> ValidateOptions {
    let mut how = ValidateOptions::default();
    how.findings = limits(options).findings;
    how.allow_udf = options.is_some_and(|o| o.allow_udf);
    how.scan_weights = options.is_some_and(|o| o.scan_weights);
    how
}

fn converted(input: &[u8], options: Option<&Cntk2onnxOptions>) -> Result<Vec<u8>, Failure> {
    let how = Options::default().opset(options.map_or(17, |o| i64::from(o.opset)));
    let converter = Converter::new(how).limits(limits(options)).validation(validation(options));
    converter.to_onnx(input).map_err(|error| match &error {
        Error::Invalid(_) => (Cntk2onnxStatus::Invalid, error.to_string()),
        _ => (Cntk2onnxStatus::Unsupported, error.to_string()),
    })
}

impl From<&Finding> for Held {
    fn from(f: &Finding) -> Self {
        let severity = match f.severity {
            Severity::Note => Cntk2onnxSeverity::Note,
            Severity::Warning => Cntk2onnxSeverity::Warning,
            Severity::Error => Cntk2onnxSeverity::Error,
        };
        Self { severity, offset: f.offset, rule: text(f.rule), path: text(&f.path), message: text(&f.message) }
    }
}
