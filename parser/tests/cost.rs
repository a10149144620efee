//! What parsing costs: heap and stack, on long models and on small files that ask for much.

use cntk_parser::{ErrorKind, Limits, ModelFile, parse};
use cntk_testing::format::{self, Value};
use cntk_testing::models;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// Only one test measures at a time.
static MEASURING: Mutex<()> = Mutex::new(());

struct Counting;

#[expect(unsafe_code, reason = "an allocator that counts can be had in no other way")]
// SAFETY: both functions only count and hand over to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let used = USED.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(used, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most that was in use while `run` ran, beyond what was before.
fn peak(run: impl FnOnce()) -> usize {
    let before = USED.load(Relaxed);
    PEAK.store(before, Relaxed);
    run();
    PEAK.load(Relaxed) - before
}

const ROOM: usize = 64 << 10;

#[test]
fn a_function_record_costs_little() {
    let _guard = MEASURING.lock().unwrap();
    let length = 100_000;
    let bytes = models::chain(length);
    let start = std::time::Instant::now();
    let mut seconds = 0.0;
    let peak = peak(|| {
        let file = ModelFile::new(&bytes);
        let model = parse(&file, &Limits::default()).unwrap();
        seconds = start.elapsed().as_secs_f64();
        assert_eq!(model.functions.len(), length);
        assert!(model.warnings.is_empty(), "{:?}", model.warnings);
    });
    println!(
        "{} bytes, {:.2} us, {} bytes of file a function",
        peak / length,
        seconds * 1e6 / length as f64,
        bytes.len() / length
    );
    assert!(peak / length <= 400, "{} bytes a function", peak / length);
}

#[test]
fn small_files_cannot_ask_for_much() {
    let _guard = MEASURING.lock().unwrap();
    let mut many_values = Vec::new();
    (0..500_000).for_each(|_| many_values.extend(format::field(1, &[])));
    let nones = format::value(9, &format::field(11, &many_values));
    let attribute = |value: Value| {
        format::model(
            "Tanh1",
            &[format::input("Input0", &[3])],
            &[format::function("Tanh1", 2, &["Input0"], &[("x", value)])],
        )
        .file()
    };
    let functions = format::list(&vec![Value::new(); 500_000]);
    let names: Vec<String> = (0..200_000).map(|i| format!("{i:x}")).collect();
    let keys: Vec<(&str, Vec<u8>)> = names.iter().map(|key| (key.as_str(), Vec::new())).collect();
    for (what, bytes) in [
        ("an attribute of empty values", attribute(nones)),
        ("empty functions", format::model("x", &[], &[]).set("primitive_functions", functions).file()),
        ("an attribute of many axes", attribute(format::shape(&[1; 500_000]))),
        ("unknown keys", attribute(format::dictionary(&keys))),
    ] {
        let peak = peak(|| drop(parse(&ModelFile::new(&bytes), &Limits::default())));
        println!("{what}: {peak} bytes for {}", bytes.len());
        assert!(peak <= 8 * bytes.len() + (ROOM << 4), "{what}: {peak} bytes for {}", bytes.len());
    }
}

/// The deepest file that is read, and one that is much deeper, on a small stack.
#[test]
fn nesting_needs_little_stack() {
    let nested = |levels: usize| {
        let mut value = Vec::new();
        for _ in 0..levels {
            value = format::list(&[value]);
        }
        format::model("x", &[], &[]).set("deep", value).file()
    };
    let run = move || {
        // The entry and its value are two messages; each list is two more.
        assert!(parse(&ModelFile::new(&nested(49)), &Limits::default()).is_ok());
        let error = parse(&ModelFile::new(&nested(50)), &Limits::default()).unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Nesting { limit: 100 });
        assert!(parse(&ModelFile::new(&nested(20_000)), &Limits::default()).is_err());
    };
    std::thread::Builder::new().stack_size(128 << 10).spawn(run).unwrap().join().unwrap();
}
