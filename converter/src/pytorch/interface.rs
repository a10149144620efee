//! The inputs and outputs of the module, with their names in CNTK and in `forward`.

use super::lower::Lower;
use crate::layout::Batch;
use crate::weights::ElemType;
use cntk_parser::model::{DataType, Dim, SequenceAxisId, Source};
use std::fmt;

/// Inputs and outputs.
#[derive(Clone, Debug)]
pub(super) struct Interface {
    pub(super) inputs: Vec<Port>,
    /// The further arguments for the valid steps of axes.
    pub(super) lengths: Vec<(SequenceAxisId, String)>,
    /// The outputs of the model. After these the module returns [`Self::counts`].
    pub(super) outputs: Vec<Port>,
    /// For each further output, the index of the output whose valid steps it counts.
    pub(super) counts: Vec<usize>,
    /// Are there no lengths, so that no step is padding?
    pub(super) equal_lengths: bool,
}

/// An input or output of the model.
#[derive(Clone, Debug)]
pub(super) struct Port {
    /// CNTK's name, its uid where the name is not unique, or what the user calls it.
    pub(super) name: String,
    /// The same, had the user not renamed it.
    pub(super) given: String,
    pub(super) uid: String,
    /// The argument of `forward` for an input.
    pub(super) argument: String,
    pub(super) elem: ElemType,
    pub(super) sizes: Vec<Size>,
    /// The number of classes, if the input is given as indices.
    pub(super) classes: Option<u64>,
}

/// One size of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Batch,
    /// The batch axis of a ToBatch, which has a size of its own.
    OtherBatch,
    Steps(SequenceAxisId),
    Known(u64),
    Free(u32),
}

impl Interface {
    pub(super) fn new(lower: &Lower<'_, '_, '_>) -> Self {
        let graph = lower.graph;
        let inputs = graph.arguments.iter().zip(&lower.arguments).map(|(a, argument)| {
            let uid = graph.model.variable(a.variable).uid;
            let mut port = Port::new(lower, Source::Variable(a.variable), &a.name, uid, argument);
            port.given.clone_from(&a.given);
            if a.classes.is_some() {
                (port.classes, port.elem) = (a.classes, ElemType::Int64);
                port.sizes.pop();
            }
            port
        });
        let outputs = graph.outputs.iter().map(|o| {
            let port = Port::new(lower, o.source, &o.name, &o.uid, "");
            Port { given: o.given.clone(), ..port }
        });
        let lengths = lower.lengths.iter().filter(|_| !lower.equal_lengths);
        Self {
            inputs: inputs.collect(),
            lengths: lengths.map(|l| (l.axis, l.name.clone())).collect(),
            outputs: outputs.collect(),
            counts: lower.output_lengths().into_iter().map(|l| l.output).collect(),
            equal_lengths: lower.equal_lengths,
        }
    }

    /// The argument with the valid steps of an axis.
    pub(super) fn lengths_of(&self, axis: SequenceAxisId) -> Option<&str> {
        self.lengths.iter().find(|(a, _)| *a == axis).map(|(_, name)| name.as_str())
    }
}

impl Port {
    fn new(lower: &Lower<'_, '_, '_>, source: Source, name: &str, uid: &str, argument: &str) -> Self {
        let ty = lower.graph.model.type_of(source);
        let elem = match ty.data_type {
            DataType::Double => ElemType::Double,
            DataType::Float16 => ElemType::Float16,
            _ => ElemType::Float,
        };
        let batch = lower.lead(source).batch.map(|b| if b == Batch::INPUTS { Size::Batch } else { Size::OtherBatch });
        let steps = ty.axes.sequence.map(Size::Steps);
        let fixed = ty.shape.iter().map(|d| match d {
            Dim::Known(n) => Size::Known(*n),
            Dim::Free(id) => Size::Free(*id),
        });
        Self {
            name: name.to_owned(),
            given: name.to_owned(),
            uid: uid.to_owned(),
            argument: argument.to_owned(),
            elem,
            sizes: batch.into_iter().chain(steps).chain(fixed).collect(),
            classes: None,
        }
    }

    /// Its sequence axis.
    pub(super) fn axis(&self) -> Option<SequenceAxisId> {
        self.sizes.iter().find_map(|s| if let Size::Steps(axis) = s { Some(*axis) } else { None })
    }

    pub(super) fn has_batch(&self) -> bool {
        self.sizes.contains(&Size::Batch)
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes: Vec<String> = self
            .sizes
            .iter()
            .map(|s| match s {
                Size::Batch => "N".to_owned(),
                Size::Steps(_) => "T".to_owned(),
                Size::Known(n) => n.to_string(),
                Size::OtherBatch | Size::Free(_) => "any".to_owned(),
            })
            .collect();
        write!(f, "{} [{}]", numpy(self.elem), sizes.join(", "))
    }
}

/// NumPy's and PyTorch's name of an element type.
pub(super) fn numpy(elem: ElemType) -> &'static str {
    match elem {
        ElemType::Float => "float32",
        ElemType::Double => "float64",
        ElemType::Float16 => "float16",
        ElemType::Int8 => "int8",
        ElemType::Int16 => "int16",
        ElemType::Int32 => "int32",
        ElemType::Int64 => "int64",
        ElemType::Bool => "bool",
    }
}
