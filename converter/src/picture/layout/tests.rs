use super::*;
use std::time::Instant;

fn shape() -> Shape {
    Shape { width: 100.0, height: 40.0, row: Row::Free, enter: None }
}

fn wire(from: usize, to: usize) -> Wire {
    Wire { from, to, leave: 0.0, back: false }
}

#[test]
fn a_chain_is_a_straight_line() {
    let drawing = layout(&vec![shape(); 3], &[wire(0, 1), wire(1, 2)]);
    assert!(drawing.places.iter().all(|(x, _)| *x == 50.0), "{drawing:?}");
    assert!(drawing.places.windows(2).all(|pair| pair[0].1 + 40.0 < pair[1].1));
    assert!(drawing.routes.iter().all(|route| route.pieces.iter().all(|piece| matches!(piece, Piece::Line(_)))));
}

#[test]
fn branches_that_need_not_cross_do_not() {
    // Two chains that were listed crosswise.
    let wires = [wire(0, 3), wire(1, 2), wire(2, 4), wire(3, 5)];
    let drawing = layout(&vec![shape(); 6], &wires);
    let x = |i: usize| drawing.places[i].0;
    assert_eq!((x(0), x(1)), (x(3), x(2)));
    assert_eq!((x(2), x(3)), (x(4), x(5)));
}

#[test]
fn a_wire_back_enters_from_above() {
    let back = Wire { back: true, ..wire(1, 0) };
    let drawing = layout(&vec![shape(); 2], &[wire(0, 1), back]);
    let route = &drawing.routes[1];
    let Some(Piece::Curve(_, above, end)) = route.pieces.last() else { panic!("{route:?}") };
    assert!(above.1 < end.1 && end.1 == drawing.places[0].1);
    assert!(drawing.places[0].1 > 0.0, "room above the first row");
}

#[test]
fn nothing_is_drawn_of_nothing() {
    let drawing = layout(&[], &[]);
    assert_eq!((drawing.width, drawing.places.len()), (0.0, 0));
}

#[test]
fn time_grows_with_size() {
    let of = |count: usize| {
        let shapes = vec![shape(); count];
        let wires: Vec<Wire> = (1..count).flat_map(|i| [wire(i - 1, i), wire(i.saturating_sub(3), i)]).collect();
        let start = Instant::now();
        let drawing = layout(&shapes, &wires);
        assert_eq!(drawing.places.len(), count);
        start.elapsed()
    };
    of(100);
    let (small, large) = (of(1000), of(10_000));
    assert!(large < small * 60, "{small:?} for a tenth of {large:?}");
}
