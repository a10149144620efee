//! The recipe of `docs/threats.md`, command by command.

use super::tool::{Folder, corpus};
use std::{fs, path::Path};

#[test]
fn the_recipe_against_tampering_works() {
    let folder = Folder::new();
    fs::create_dir(folder.path("models")).unwrap();
    for name in ["models/net.model", "trusted.model"] {
        fs::copy(corpus("zoo/alexnet_small.model"), folder.path(name)).unwrap();
    }
    folder.write("release.pem", include_bytes!("../../../signing/tests/keys/p384.pem"));
    folder.write("release.pub", include_bytes!("../../../signing/tests/keys/p384.pub.pem"));
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/threats.md")).unwrap();
    let recipe = text.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let commands: Vec<Vec<_>> = recipe.lines().map(|line| line.split(' ').skip(1).collect()).collect();
    assert_eq!(commands.len(), 6);
    for command in &commands {
        folder.run(command).done();
    }

    // One bit later, no command but the signing ones lets it through.
    let mut bytes = folder.read("models/net.model");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    folder.write("models/net.model", &bytes);
    for command in &commands[1..4] {
        assert_eq!(folder.run(command).code, Some(1), "{command:?}");
    }
}
