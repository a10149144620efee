//! Python programs that check results, in virtual environments that are made on first use.

use std::{
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Mutex,
};

/// A virtual environment under `target/`.
pub struct Environment<'e> {
    /// The folder that cargo gives to the tests: `env!("CARGO_TARGET_TMPDIR")`.
    pub folder: &'e str,
    /// The start of its name. The rest is a digest: with other contents, another environment is made.
    pub name: &'e str,
    pub python: &'e str,
    /// More options of `venv`.
    pub venv: &'e [&'e str],
    /// More options of `pip install`.
    pub pip: &'e [&'e str],
    /// The text of a requirements file.
    pub requirements: &'e str,
}

/// Held while an environment is made: tests share them.
static MAKING: Mutex<()> = Mutex::new(());

impl Environment<'_> {
    /// Its interpreter. It is made beside its final place and renamed at the end, so one that exists is complete, and two
    /// runs at a time do not harm each other.
    ///
    /// # Errors
    ///
    /// What Python or pip said: without `venv` (Debian: python3-venv) or a connection to PyPI, none can be made.
    pub fn interpreter(&self) -> Result<PathBuf, String> {
        let folder = Path::new(self.folder);
        let venv = folder.join(format!("{}-{:016x}", self.name, self.digest()));
        let _one_at_a_time = MAKING.lock();
        if !venv.exists() {
            let draft = folder.join(format!("{}-draft-{}", self.name, std::process::id()));
            let made = self.make(&draft).and_then(|()| fs::rename(&draft, &venv).map_err(|error| error.to_string()));
            if let Err(why) = made {
                let _ = fs::remove_dir_all(&draft);
                if !venv.exists() {
                    return Err(why);
                }
            }
        }
        Ok(interpreter(&venv))
    }

    fn make(&self, draft: &Path) -> Result<(), String> {
        must(Command::new(self.python).args(["-m", "venv"]).args(self.venv).arg(draft))?;
        let requirements = draft.join("requirements.txt");
        fs::write(&requirements, self.requirements).map_err(|error| error.to_string())?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
        must(Command::new(interpreter(draft)).args(pip).args(self.pip).arg("-r").arg(requirements))
    }

    /// FNV-1a over what it is made of.
    fn digest(&self) -> u64 {
        let parts = [self.venv, self.pip, &[self.python, self.requirements]].concat().join("\n");
        parts.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
    }
}

fn interpreter(venv: &Path) -> PathBuf {
    if cfg!(windows) { venv.join("Scripts").join("python.exe") } else { venv.join("bin").join("python") }
}

fn must(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(format!("{command:?} failed:\n{}", text(&output))) }
}

/// The Python of this system, or the one that `PYTHON` names.
pub fn system() -> String {
    option("PYTHON").unwrap_or_else(|| if cfg!(windows) { "python" } else { "python3" }.to_owned())
}

/// `corpus/`.
pub fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace").join("corpus")
}

/// The folders of `corpus/` that hold cases with recorded numbers.
pub fn cases() -> Vec<PathBuf> {
    let corpus = corpus();
    ["ops", "zoo", "attributes", "v1"].map(|set| corpus.join(set)).into_iter().filter(|set| set.is_dir()).collect()
}

/// An environment variable, unless it is empty.
pub fn option(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// Adds what the runners of `corpus/` understand, and runs one: `ONLY=pattern` picks cases, `BLESS=1` rewrites lists of
/// known failures.
pub fn run_over_cases(mut command: Command) {
    if let Some(only) = option("ONLY") {
        command.arg("--only").arg(only);
    }
    if option("BLESS").is_some() {
        command.arg("--bless");
    }
    run(command);
}

/// Runs a program, and fails with all that it printed unless it succeeds.
pub fn run(mut command: Command) {
    command.env("PYTHONDONTWRITEBYTECODE", "1").env("PYTHONUTF8", "1");
    let output = command.output().expect("the program starts");
    let printed = text(&output);
    println!("{printed}");
    assert!(output.status.success(), "{}", printed.lines().last().unwrap_or("the program said nothing"));
}

/// Says past the capture of test output what was not checked, so that nobody thinks it was. Fails if the variable
/// `demanded` is `required`.
pub fn not_checked(what: &str, demanded: &str) {
    assert_ne!(option(demanded).as_deref(), Some("required"), "{what}");
    let note = format!("\nNOT CHECKED {what}\n");
    std::io::stderr().write_all(note.as_bytes()).expect("standard error is open");
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
