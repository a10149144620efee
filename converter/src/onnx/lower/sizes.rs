//! Dimensions of dynamic axes, and of static axes whose size is only known at run time.

use super::{Lowering, Val};
use crate::graph::asked::unknown;
use crate::layout::{Batch, Lead};
use crate::onnx::graph::{Dim, Dims};
use crate::report::Reason;
use cntk_parser::model::{Dim as TypeDim, Source, ValueType};

impl Lowering<'_, '_, '_> {
    /// Gives dynamic dimensions the sizes that the options fix.
    pub(super) fn fix_sizes(&mut self) {
        self.batches.extend(self.options.batch.map(|n| (Batch::INPUTS, Dim::Known(n))));
        for of in &self.options.input_shapes {
            let model = self.graph.model;
            let is_it = |v| model.variable(v).uid == of.input || model.variable(v).name == of.input;
            let argument = self.graph.arguments.iter().find(|a| is_it(a.variable) || a.given == of.input);
            let Some(argument) = argument else {
                let all = self.graph.arguments.iter().map(|a| a.given.as_str());
                self.reasons.push(unknown("input_shape", "input", &of.input, all));
                continue;
            };
            let source = Source::Variable(argument.variable);
            let ty = model.type_of(source);
            let lead = self.layout.lead(source, ty.axes);
            if let Err(why) = self.fix_sizes_of(lead, ty, &of.sizes) {
                let what = format!("`{}`: {why}", of.input.escape_debug());
                self.reasons.push(Reason::new("input_shape", what));
            }
        }
    }

    fn fix_sizes_of(&mut self, lead: Lead, ty: &ValueType, sizes: &[Option<u64>]) -> Result<(), String> {
        if sizes.len() != lead.rank() + ty.shape.len() {
            let dims = lead.rank() + ty.shape.len();
            return Err(format!("has {dims} dimensions, and {} sizes are given", sizes.len()));
        }
        let (dynamic, fixed) = sizes.split_at(lead.rank());
        for (size, dim) in fixed.iter().zip(&ty.shape) {
            match (size, dim.known()) {
                (Some(n), Some(known)) if *n != known => {
                    return Err(format!("a size is {known} in the model, not {n}"));
                }
                (Some(_), None) => return Err("an open size must be fixed before the model is validated".to_owned()),
                _ => {}
            }
        }
        let mut dynamic = dynamic.iter().copied();
        if let (Some(batch), Some(n)) = (lead.batch, lead.batch.and_then(|_| dynamic.next().flatten()))
            && self.batches.insert(batch, Dim::Known(n)).is_some_and(|before| before != Dim::Known(n))
        {
            return Err(format!("the batch cannot be {n} here and another size elsewhere"));
        }
        if let (Some(axis), Some(n)) = (lead.sequence, dynamic.next().flatten())
            && self.sequence_dims.insert(axis, Dim::Known(n)).is_some_and(|before| before != Dim::Known(n))
        {
            return Err(format!("its sequences cannot be {n} steps here and others elsewhere"));
        }
        Ok(())
    }

    /// The dimensions of a value, dynamic ones first.
    pub(crate) fn dims_with(&mut self, lead: Lead, ty: &ValueType) -> Dims {
        let mut dims = self.lead_dims(lead);
        dims.extend(self.static_dims(ty));
        dims
    }

    /// The static dimensions of a type.
    pub(crate) fn static_dims(&mut self, ty: &ValueType) -> Dims {
        ty.shape
            .iter()
            .map(|d| match d {
                TypeDim::Known(n) => Dim::Known(*n),
                TypeDim::Free(id) => self.free_dim(*id),
            })
            .collect()
    }

    /// Takes free sizes of CNTK that have no dimension yet, or one that cannot be read, from these results.
    pub(super) fn learn_sizes(&mut self, types: &[ValueType], outputs: &[Val]) {
        if !self.running.is_empty() {
            return;
        }
        for (ty, v) in types.iter().zip(outputs) {
            let tail: Dims = self.b.dims(v.id).get(v.lead.rank()..).unwrap_or_default().into();
            let pairs = ty.shape.iter().zip(&tail).filter(|_| tail.len() == ty.shape.len());
            for (size, dim) in pairs {
                if let TypeDim::Free(id) = size {
                    let known = self.free.entry(*id).or_insert(*dim);
                    if self.b.is_measured(*dim) && !self.b.is_measured(*known) {
                        *known = *dim;
                    }
                }
            }
        }
    }

    /// The dimension of a free size, which may be that of a batch.
    fn free_dim(&mut self, id: u32) -> Dim {
        let b = &mut self.b;
        let make = || b.symbol(format!("free{id}"));
        match self.layout.batch_of_size(id) {
            Some(Batch::INPUTS) => self.batch_dim(Batch::INPUTS),
            Some(batch) => *self.batches.entry(batch).or_insert_with(make),
            None => *self.free.entry(id).or_insert_with(make),
        }
    }

    /// The dimension of a batch axis.
    fn batch_dim(&mut self, batch: Batch) -> Dim {
        let (b, n) = (&mut self.b, self.batches.len());
        let name = || if batch == Batch::INPUTS { "batch".to_owned() } else { format!("batch_{}", n + 1) };
        *self.batches.entry(batch).or_insert_with(|| b.symbol(name()))
    }

    /// Defines the dimension of a batch, unless it is defined already.
    pub(crate) fn define_batch(&mut self, batch: Batch, dim: Dim) {
        self.batches.entry(batch).or_insert(dim);
    }

    /// The dynamic dimensions of a lead.
    pub(crate) fn lead_dims(&mut self, lead: Lead) -> Dims {
        let mut dims = Dims::new();
        dims.extend(lead.batch.map(|batch| self.batch_dim(batch)));
        if let Some(s) = lead.sequence {
            let (b, n) = (&mut self.b, self.sequence_dims.len());
            let name = if n == 0 { "sequence".to_owned() } else { format!("sequence_{}", n + 1) };
            dims.push(*self.sequence_dims.entry(s).or_insert_with(|| b.symbol(name)));
        }
        dims
    }

    /// The lead of a value in the current scope: inside of a loop body, the loop's axis is not a dimension.
    pub(crate) fn lead(&self, source: Source) -> Lead {
        let mut lead = self.layout.lead(source, self.graph.model.type_of(source).axes);
        if lead.sequence.is_some_and(|s| self.running.contains(&s)) {
            lead.sequence = None;
        }
        lead
    }
}
