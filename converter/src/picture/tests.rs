//! Every model of the corpus is drawn and measured; a few are looked at closely.

use super::{
    scene::{Rect, Scene, points},
    *,
};
use cntk_parser::{Limits, ModelFile, ValidateOptions};
use std::path::{Path, PathBuf};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus")
}

fn with_model<T>(path: &Path, act: impl FnOnce(&ValidatedModel<'_>) -> T) -> Option<T> {
    let bytes = std::fs::read(path).unwrap();
    let file = ModelFile::new(&bytes);
    let model = cntk_parser::parse(&file, &Limits::default()).ok()?;
    cntk_parser::validate(model, &ValidateOptions::default()).model.as_ref().map(act)
}

fn of(name: &str) -> Picture {
    with_model(&corpus().join(name), Picture::of).unwrap()
}

fn models(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            models(&path, found);
        } else if path.extension().is_some_and(|e| e == "model" || e == "dnn" || e == "cmf") {
            found.push(path);
        }
    }
}

fn overlap(a: &Rect, b: &Rect) -> bool {
    a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height
}

fn contains(rect: &Rect, inner: &Rect) -> bool {
    let slack = 0.01;
    rect.x <= inner.x + slack
        && rect.y <= inner.y + slack
        && rect.x + rect.width + slack >= inner.x + inner.width
        && rect.y + rect.height + slack >= inner.y + inner.height
}

/// Everything that is wrong with a scene.
fn faults(scene: &Scene<'_>) -> Vec<String> {
    let mut faults = vec![];
    let whole = Rect { x: 0.0, y: 0.0, width: scene.width, height: scene.height };
    // Sorted by their upper edges, only neighbours can overlap.
    let mut rects: Vec<(Rect, String)> = vec![];
    for placed in &scene.boxes {
        let title = placed.node.title.clone();
        if placed.rect.height > 0.0 {
            rects.push((placed.rect, title.clone()));
        }
        rects.extend(placed.labels.iter().map(|label| (label.rect(), format!("{title}: {}", label.text))));
        for line in placed.lines.iter().filter(|line| !contains(&placed.rect, &line.rect())) {
            faults.push(format!("{title}: {} does not fit", line.text));
        }
        if let Some((x, y, inside)) = &placed.inside {
            let inner = Rect { x: *x, y: *y, width: inside.width, height: inside.height };
            if !contains(&placed.rect, &inner) {
                faults.push(format!("{title}: what is inside does not fit"));
            }
            faults.extend(self::faults(inside));
        }
    }
    faults.extend(rects.iter().filter(|(rect, _)| !contains(&whole, rect)).map(|(_, t)| format!("{t} is outside")));
    rects.sort_by(|a, b| a.0.y.total_cmp(&b.0.y));
    for (i, (rect, title)) in rects.iter().enumerate() {
        for (other, more) in rects[i + 1..].iter().take_while(|(other, _)| other.y < rect.y + rect.height) {
            if overlap(rect, other) {
                faults.push(format!("{title} overlaps {more}"));
            }
        }
    }
    let boxes: Vec<&(Rect, String)> = rects.iter().collect();
    for (wire, edge) in scene.wires.iter().enumerate() {
        for (x, y) in points(&edge.route) {
            for (rect, title) in boxes.iter().take_while(|(rect, _)| rect.y < y) {
                let inside = x > rect.x + 0.5 && x < rect.x + rect.width - 0.5;
                let own = title.contains(": ");
                if inside && y > rect.y + 0.5 && y < rect.y + rect.height - 0.5 && !own {
                    faults.push(format!("wire {wire} runs through {title}"));
                }
            }
        }
    }
    faults
}

#[test]
fn no_box_overlaps_and_no_wire_runs_through_one() {
    let mut paths = vec![];
    for folder in ["zoo", "v1", "seeds", "ops", "attributes", "regress", "gradients"] {
        models(&corpus().join(folder), &mut paths);
    }
    let mut drawn = 0;
    for path in &paths {
        with_model(path, |model| {
            let picture = Picture::with_insides(model);
            check(&picture, path);
            let text = svg(&picture);
            assert!(text.ends_with("</svg>\n") && !text.contains("NaN"), "{}", path.display());
            drawn += 1;
        });
    }
    assert!(drawn > 500, "{drawn} of {}", paths.len());
}

fn check(picture: &Picture, path: &Path) {
    let faults = faults(&Scene::of(picture));
    assert!(faults.is_empty(), "{}: {faults:#?}", path.display());
    picture.nodes.iter().filter_map(|node| node.inside.as_deref()).for_each(|inside| check(inside, path));
}

#[test]
fn every_function_that_is_needed_is_in_one_box() {
    for name in ["zoo/s2s_attention_model.model", "zoo/resnet_bottleneck.model", "v1/v1_convolution_17.model"] {
        with_model(&corpus().join(name), |model| {
            let needed = crate::graph::needed(model, model.outputs().iter().map(|o| o.source));
            let mut expected: Vec<_> = model.order().iter().copied().filter(|f| needed[f.index()]).collect();
            for nodes in [Picture::of(model).nodes, Picture::layers(model)] {
                let mut shown: Vec<_> = nodes.iter().flat_map(|node| node.functions.clone()).collect();
                shown.sort();
                expected.sort();
                assert_eq!(shown, expected, "{name}");
            }
        })
        .unwrap();
    }
}

fn titles(picture: &Picture, role: Role) -> Vec<&str> {
    picture.nodes.iter().filter(|n| n.role == role).map(|n| n.title.as_str()).collect()
}

#[test]
fn a_residual_net_has_a_box_for_each_convolution() {
    let picture = of("zoo/resnet_bottleneck.model");
    let layers = titles(&picture, Role::Layer);
    assert_eq!(layers[0], "Convolution 7×7, stride 2, BatchNormalization, ReLU");
    assert_eq!(layers.iter().filter(|t| t.starts_with("Convolution")).count(), 15);
    assert_eq!(layers.iter().filter(|t| **t == "Plus, ReLU").count(), 4);
    assert!(layers.contains(&"Convolution 1×1, stride 2, BatchNormalization"), "{layers:?}");
    assert_eq!((titles(&picture, Role::Input), titles(&picture, Role::Output)), (vec!["features"], vec!["z"]));
    assert!(picture.edges.iter().all(|e| e.shape.starts_with("[batch, ")));
}

#[test]
fn recurrences_are_loops_and_criteria_are_marked() {
    let picture = of("zoo/slu_bidirectional_bn_criterion.model");
    let cells: Vec<_> = picture.nodes.iter().filter_map(|n| n.recurrence.map(|d| (n.title.as_str(), d))).collect();
    assert_eq!(cells.len(), 2, "{cells:?}");
    assert!(cells.contains(&("GRU", Direction::Forward)) && cells.contains(&("GRU", Direction::Backward)));
    let marked: Vec<_> = picture.nodes.iter().filter(|n| n.criterion).map(|n| n.title.as_str()).collect();
    assert!(marked.contains(&"CrossEntropyWithSoftmax") && marked.contains(&"slot"), "{marked:?}");
    assert!(!marked.contains(&"Dense"));
    // It opens to what is in the cell, with the way back.
    let deep = with_model(&corpus().join("zoo/gru_tagger.model"), Picture::with_insides).unwrap();
    let cell = deep.nodes.iter().find(|n| n.title == "GRU").and_then(|n| n.inside.as_deref()).unwrap();
    assert!(cell.layers > 5 && cell.edges.iter().any(|e| e.back), "{cell:#?}");
    // The cell is known without a block around it.
    assert!(titles(&of("zoo/lstm_timeseries_106a.model"), Role::Layer).contains(&"LSTM"));
    // A recurrence around several layers is drawn with its way back.
    let attention = of("zoo/s2s_attention_model.model");
    assert!(attention.edges.iter().any(|e| e.back) && attention.edges.iter().any(|e| !e.back));
}

/// A chain of elementwise functions without a pattern in it.
fn chain(length: usize) -> Vec<u8> {
    use cntk_testing::format::{function, input, model};
    let mut state = 7u32;
    let mut functions = vec![];
    let mut last = "x".to_owned();
    for i in 0..length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let uid = format!("f{i}");
        functions.push(function(&uid, u64::from(state >> 16) % 5, &[&last], &[]));
        last = format!("{uid}_Output_0");
    }
    model(&format!("f{}", length - 1), &[input("x", &[3])], &functions).file()
}

#[test]
fn a_large_model_is_an_overview() {
    let shown = |length: usize| {
        let bytes = chain(length);
        let file = ModelFile::new(&bytes);
        let model = cntk_parser::parse(&file, &Limits::default()).unwrap();
        let model = cntk_parser::validate(model, &ValidateOptions::default()).model.unwrap();
        let picture = Picture::of(&model);
        check(&picture, Path::new("chain"));
        assert_eq!(picture.layers, length);
        assert_eq!(picture.nodes.iter().map(|node| node.functions.len()).sum::<usize>(), length);
        picture.nodes
    };
    let few = shown(300);
    assert!(few.iter().all(|node| node.role != Role::Stretch) && few.len() > 200, "{}", few.len());
    let many = shown(10_000);
    assert!(many.len() < 100 && many.iter().any(|node| node.role == Role::Stretch), "{}", many.len());
}

#[test]
fn dot_and_svg_hold_no_markup_of_the_file() {
    let mut picture = of("zoo/logreg_101.model");
    let hostile = "</text><script>alert(1)</script>\"];x\u{202e}\u{0}";
    for node in &mut picture.nodes {
        (node.title, node.name) = (hostile.to_owned(), hostile.to_owned());
    }
    let text = svg(&picture);
    assert!(!text.contains("<script") && !text.contains('\u{202e}') && !text.contains('\0'));
    assert!(text.contains("&lt;script&gt;"));
    assert!(!dot(&picture).replace("\\\"", "").contains("];x\""), "{}", dot(&picture));
    assert!(dot(&picture).contains("script>\\\"];x"));
}
