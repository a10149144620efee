//! Lowers operators that read a sequence axis (spec 4.13), with the lengths, masks and derived axes that they need.
//!
//! | module | does |
//! | --- | --- |
//! | [`axes`] | lengths and masks, added on demand and once per axis |
//! | [`broadcast`] | values without a sequence axis as sequences, and one sequence axis as another |
//! | [`delay`] | PastValue and FutureValue outside of loops |
//! | [`pick`] | Where, PackedIndex, GatherPacked, ScatterPacked |
//! | [`minibatch`] | the order of frames in CNTK's minibatch |
//! | [`unpack`] | conversion between a sequence axis and a static one |
//! | [`product`] | Times over the sequence axis |

mod axes;
mod broadcast;
pub(super) mod delay;
pub(super) mod minibatch;
mod pick;
pub(super) mod product;
mod unpack;

use super::{Lowered, Lowering, Node};
use crate::report::Reason;
use cntk_parser::ops::Operator as Op;

pub(crate) use axes::Sequences;

/// Lowers an operator that reads a sequence axis.
pub(super) fn lower(cx: &mut Lowering<'_, '_, '_>, node: &Node<'_, '_>) -> Lowered {
    match node.op {
        Op::PastValue(a) => delay::past(cx, node, a),
        Op::FutureValue(a) => delay::future(cx, node, a),
        Op::Where(_) => pick::place(cx, node),
        Op::PackedIndex => super::elementwise::pass(node, 1),
        Op::GatherPacked => pick::gather(cx, node),
        Op::ScatterPacked => pick::scatter(cx, node),
        Op::ReconcileDynamicAxis => broadcast::reconcile(cx, node),
        Op::UnpackSequence(a) => unpack::unpack(cx, node, a),
        Op::ToSequence(_) => unpack::to_sequence(cx, node),
        Op::ToSequenceLike(_) => unpack::to_sequence_like(cx, node),
        Op::OptimizedRNNStack(a) => super::recurrence::stack::lower(cx, node, a),
        Op::EditDistanceError(_) => {
            Err(Reason::new("", "an edit distance has no ONNX form; leave it out with --outputs"))
        }
        Op::ForwardBackward(_) => {
            Err(Reason::new("", "a connectionist training criterion has no ONNX form; leave it out with --outputs"))
        }
        _ => Err(Reason::new("", "is not a sequence operator")),
    }
}
